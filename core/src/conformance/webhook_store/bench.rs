//! What the cases share: numbered webhooks and satellites, and events of theirs.

use uuid::Uuid;

use crate::automation::{
    ContentMode, DeliveryState, EventFilter, Health, KeptSecret, SigningSecret, Webhook,
    WebhookHeaders, WebhookId,
};
use crate::conformance::runner::{Fault, Seen};
use crate::conformance::{Fixture, WebhookAdapter};
use crate::connection::{Command, Decision, EventKind, Origin, decide};
use crate::ports::{
    AttemptRecord, AttemptSeen, Delivery, DeliveryQuery, Due, DueDelivery, EdgeWrite, EventCursor,
    Guard, NewDelivery, NewSatellite, WebhookClaim, WebhookSaved,
};
use crate::satellite::{
    HashedToken, PodName, ReportedAgent, Satellite, SatelliteId, SessionId, Tags, Token, TokenHash,
    TokenId,
};
use crate::time::{Millis, Timestamp};

pub(super) type Bench = Fixture<dyn WebhookAdapter>;

pub(super) const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(super) const LEASE: Millis = Millis::from_secs(15);

pub(super) fn at(seconds: u64) -> Timestamp {
    AT + Millis::from_secs(seconds)
}

pub(super) fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 96 | 0x99)
}

pub(super) fn id(number: u32) -> WebhookId {
    WebhookId(uuid(number))
}

pub(super) fn satellite_id(number: u32) -> SatelliteId {
    SatelliteId(uuid(number))
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Seen<T> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?}: {why}")))
}

pub(super) fn webhook(number: u32) -> Seen<Webhook> {
    let headers = [("X-Key".to_owned(), "a \"secret\"".to_owned())];
    Ok(Webhook {
        id: id(number),
        name: parsed(&format!("webhook {number}"))?,
        url: parsed("https://example.org/a?b='c'")?,
        filter: EventFilter::default(),
        headers: WebhookHeaders::new(headers).map_err(|why| Fault::Seen(format!("{why:?}")))?,
        mode: ContentMode::Structured,
        alerts_only: false,
        secrets: vec![KeptSecret { secret: SigningSecret::new([7; 32]), expires_at: None }],
        health: Health::default(),
        created_at: AT,
    })
}

pub(super) async fn make(bench: &Bench, number: u32) -> Seen {
    let made = bench.handle(0).create_webhook(webhook(number)?).await?;
    same!(made, WebhookSaved::Done, "what became of a new webhook");
    Ok(())
}

/// Makes a satellite.
pub(super) async fn satellite(bench: &Bench, number: u32) -> Seen<SatelliteId> {
    let satellite = Satellite {
        id: satellite_id(number),
        name: parsed(&format!("satellite {number}"))?,
        region: parsed("eu")?,
        tags: Tags::default(),
        own_threshold: None,
        enabled: true,
        agent: ReportedAgent::default(),
        managed_by: None,
        created_at: AT,
    };
    let hash = TokenHash::of(&Token::for_satellite([u8::try_from(number).unwrap_or(0); 32]));
    let token = HashedToken { id: TokenId(uuid(number)), hash, expires_at: None };
    bench.handle(0).create(NewSatellite { satellite, token }).await?;
    Ok(satellite_id(number))
}

/// Lets a satellite connect once more: one event, at so many seconds.
pub(super) async fn connect(bench: &Bench, number: u32, second: u64) -> Seen {
    let store = bench.handle(0);
    let Some(read) = store.snapshot(satellite_id(number)).await? else {
        return Err(Fault::Seen(format!("satellite {number} is not there")));
    };
    let command = Command::Connect {
        session: SessionId(Uuid::from_u128(u128::from(read.record.epoch.0) + 1)),
        token: TokenId(uuid(number)),
        seen_epoch: read.record.epoch,
        credential_version: read.credential_version,
    };
    let context = read.context(at(second), Millis::ZERO);
    let Decision::Record(change) = decide(&read.record, &command, &context) else {
        return Err(Fault::Seen("a connect was not decided on".to_owned()));
    };
    let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
    let write = EdgeWrite { read, change, guard: Guard::Credential, origin, now: at(second) };
    store.record_edges(vec![write]).await?;
    Ok(())
}

/// Webhook 1 with satellites 1 to `count`, each of which then connects `times` times in turns.
pub(super) async fn busy(bench: &Bench, count: u32, times: u64) -> Seen {
    make(bench, 1).await?;
    for number in 1..=count {
        satellite(bench, number).await?;
    }
    for second in 0..times {
        for number in 1..=count {
            connect(bench, number, second).await?;
        }
    }
    Ok(())
}

pub(super) async fn claim(bench: &Bench, number: u32, second: u64) -> Seen<Option<WebhookClaim>> {
    let pod = PodName::new("pod");
    Ok(bench.handle(1).claim_webhook(id(number), &pod, at(second), LEASE).await?)
}

pub(super) async fn claimed(bench: &Bench, number: u32, second: u64) -> Seen<WebhookClaim> {
    let claim = claim(bench, number, second).await?;
    claim.ok_or_else(|| Fault::Seen(format!("webhook {number} could not be claimed")))
}

/// Makes deliveries of all events after the cursor.
pub(super) async fn enqueue(bench: &Bench, claim: WebhookClaim, second: u64) -> Seen<bool> {
    let store = bench.handle(1);
    let backlog = store.webhook_backlog(claim.webhook).await?;
    let cursor = backlog.and_then(|backlog| backlog.cursor);
    let events = store.events_after(cursor, 10_000).await?;
    let new: Vec<_> = events
        .iter()
        .map(|event| NewDelivery {
            cursor: event.cursor,
            context: event.recorded.place().0,
            seq: event.recorded.place().1,
            event: EventKind::Connected,
        })
        .collect();
    let reached = events.last().map_or(EventCursor::default(), |last| last.cursor);
    Ok(store.enqueue_deliveries(claim, reached, &new, at(second)).await?)
}

/// What is due: number, satellite, seq.
pub(super) async fn due(bench: &Bench, second: u64) -> Seen<Vec<(u64, u32, u64)>> {
    let due = bench.handle(1).due_deliveries(id(1), at(second), 1_000).await?;
    let one = |d: &DueDelivery| -> Seen<(u64, u32, u64)> {
        let Due::Event(recorded) = &d.due else {
            return Err(Fault::Seen("an alert that nobody made".to_owned()));
        };
        let (context, seq) = recorded.place();
        Ok((d.number, (context.0.as_u128() >> 96) as u32, seq.0))
    };
    due.iter().map(one).collect()
}

pub(super) async fn due_seqs(bench: &Bench, second: u64) -> Seen<Vec<(u32, u64)>> {
    Ok(due(bench, second).await?.into_iter().map(|(_, whose, seq)| (whose, seq)).collect())
}

pub(super) fn attempt(number: u64, attempt: u32, next: Option<u64>, second: u64) -> AttemptRecord {
    AttemptRecord {
        number,
        attempt,
        at: at(second),
        state: if next.is_some() { DeliveryState::Waiting } else { DeliveryState::Delivered },
        next_at: next.map(at),
        seen: AttemptSeen {
            status: Some(if next.is_some() { 500 } else { 204 }),
            latency: Millis::new(12),
            response: Some("é \"'\"".to_owned()),
            error: next.map(|_| "no".to_owned()),
        },
    }
}

pub(super) async fn record(
    bench: &Bench,
    claim: WebhookClaim,
    attempts: &[AttemptRecord],
) -> Seen<bool> {
    Ok(bench.handle(0).record_attempts(claim, attempts, Health::default()).await?)
}

pub(super) async fn listed(bench: &Bench, state: Option<DeliveryState>) -> Seen<Vec<Delivery>> {
    let query = DeliveryQuery { webhook: id(1), state, after: None, limit: 1_000 };
    Ok(bench.handle(1).deliveries(&query).await?)
}
