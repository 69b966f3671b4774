//! What the cases share: one webhook, numbered rules, alerts and satellites.

use uuid::Uuid;

use crate::automation::{
    Alert, AlertCall, AlertId, AlertNotice, AlertState, AlertSubject, ContentMode, EventFilter,
    Health, Rule, RuleId, Webhook, WebhookHeaders, WebhookId,
};
use crate::conformance::runner::{Fault, Seen};
use crate::conformance::{Fixture, RuleAdapter};
use crate::connection::{
    CloseReason, Command, ContextId, Decision, EventKind, Origin, RegionLoss, WatchSpan, decide,
};
use crate::ports::{
    AlertQuery, Delivery, DeliveryQuery, EdgeWrite, Guard, NewSatellite, RuleAdvance, RuleSaved,
    WebhookSaved, WriteOutcome,
};
use crate::satellite::{
    HashedToken, PodName, ReportedAgent, Satellite, SatelliteId, Seq, SessionId, Tags, Token,
    TokenHash, TokenId,
};
use crate::time::{Millis, Timestamp};

pub(super) type Bench = Fixture<dyn RuleAdapter>;

const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(super) fn at(seconds: u64) -> Timestamp {
    AT + Millis::from_secs(seconds)
}

pub(super) fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 96 | 0x99)
}

pub(super) fn rule_id(number: u32) -> RuleId {
    RuleId(uuid(number))
}

pub(super) fn webhook_id(number: u32) -> WebhookId {
    WebhookId(uuid(number))
}

pub(super) fn satellite_id(number: u32) -> SatelliteId {
    SatelliteId(uuid(number))
}

pub(super) fn context(number: u32) -> ContextId {
    satellite_id(number).into()
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Seen<T> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?}: {why}")))
}

pub(super) async fn make_webhook(bench: &Bench, number: u32) -> Seen {
    let webhook = Webhook {
        id: webhook_id(number),
        name: parsed(&format!("webhook {number}"))?,
        url: parsed("https://example.org")?,
        filter: EventFilter::default(),
        headers: WebhookHeaders::default(),
        mode: ContentMode::Structured,
        alerts_only: true,
        secrets: Vec::new(),
        health: Health::default(),
        created_at: AT,
    };
    let made = bench.handle(0).create_webhook(webhook).await?;
    same!(made, WebhookSaved::Done, "what became of a new webhook");
    Ok(())
}

/// A rule with something in every field.
pub(super) fn rule(number: u32) -> Seen<Rule> {
    Ok(Rule {
        id: rule_id(number),
        name: parsed(&format!("rule {number}"))?,
        active: true,
        removed: false,
        filter: EventFilter {
            events: [EventKind::Disconnected].into(),
            satellites: [satellite_id(7)].into(),
            region: Some(parsed("eu")?),
            tags: parsed("tier=edge")?,
            ..EventFilter::default()
        },
        lasts: Millis::from_secs(300),
        steady: Millis::from_secs(60),
        region_instead: true,
        webhook: webhook_id(1),
        created_at: at(3),
    })
}

/// Makes a rule, and webhook 1 where it is not there.
pub(super) async fn make(bench: &Bench, number: u32) -> Seen {
    if bench.handle(0).webhook(webhook_id(1)).await?.is_none() {
        make_webhook(bench, 1).await?;
    }
    let made = bench.handle(0).create_rule(rule(number)?).await?;
    same!(made, RuleSaved::Done, "what became of a new rule");
    Ok(())
}

/// The alert of a rule about a satellite, in this state.
pub(super) fn alert(of: u32, about: u32, state: AlertState) -> Seen<Alert> {
    let (rule, context) = (rule_id(of), context(about));
    let (name, region) = (parsed(&format!("satellite {about}"))?, parsed("eu")?);
    Ok(Alert {
        id: AlertId::of(rule, context, Seq(1)),
        rule,
        subject: AlertSubject::Satellite { id: satellite_id(about), name, region },
        event: EventKind::HeartbeatLost,
        since: at(about.into()),
        state,
        told: state.fired_at().map(|_| webhook_id(1)),
    })
}

pub(super) fn pending(due: u64) -> AlertState {
    AlertState::Pending { due: at(due) }
}

pub(super) fn notice(of: u32, about: u32, call: AlertCall) -> Seen<AlertNotice> {
    Ok(AlertNotice::of(&rule(of)?, &alert(of, about, pending(9))?, call, at(9)))
}

pub(super) fn region_loss(region: &str, seq: u64) -> Seen<RegionLoss> {
    Ok(RegionLoss {
        region: parsed(region)?,
        seq: Seq(seq),
        since: at(1),
        occurred_at: at(2),
        lost: 7,
        total: 9,
        window: Millis::from_secs(60),
        pod: PodName::new("pod"),
    })
}

/// A step from what is stored now.
pub(super) async fn step(bench: &Bench) -> Seen<RuleAdvance> {
    Ok(RuleAdvance::at(bench.handle(1).rule_progress().await?.version, at(10)))
}

pub(super) async fn advance(bench: &Bench, step: RuleAdvance) -> Seen {
    same!(bench.handle(0).advance_rules(step).await?, true, "whether the step was written");
    Ok(())
}

/// Stores alerts.
pub(super) async fn keep(bench: &Bench, kept: Vec<Alert>) -> Seen {
    let step = RuleAdvance { kept, ..step(bench).await? };
    advance(bench, step).await
}

pub(super) async fn alerts(bench: &Bench, of: u32) -> Seen<Vec<Alert>> {
    let query = AlertQuery { rule: rule_id(of), standing: None, after: None, limit: 1_000 };
    Ok(bench.handle(1).alerts(&query).await?)
}

/// Whom the alerts that are due at this second are about.
pub(super) async fn due(bench: &Bench, second: u64) -> Seen<Vec<ContextId>> {
    let due = bench.handle(1).due_alerts(at(second), 1_000).await?;
    Ok(due.iter().map(|alert| alert.subject.context()).collect())
}

pub(super) async fn deliveries(bench: &Bench, of: u32) -> Seen<Vec<Delivery>> {
    let query = DeliveryQuery { webhook: webhook_id(of), state: None, after: None, limit: 1_000 };
    Ok(bench.handle(1).deliveries(&query).await?)
}

/// Makes a satellite in a region.
pub(super) async fn satellite(bench: &Bench, number: u32, region: &str) -> Seen {
    let satellite = Satellite {
        id: satellite_id(number),
        name: parsed(&format!("satellite {number}"))?,
        region: parsed(region)?,
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
    Ok(())
}

/// Lets a satellite connect at this second.
pub(super) async fn connect(bench: &Bench, number: u32, second: u64) -> Seen {
    edge(bench, number, second, |read| Command::Connect {
        session: SessionId(Uuid::from_u128(u128::from(read.record.epoch.0) + 1)),
        token: TokenId(uuid(number)),
        seen_epoch: read.record.epoch,
        credential_version: read.credential_version,
    })
    .await
}

/// Lets a satellite that connected be lost at this second, which must be late enough.
pub(super) async fn lose(bench: &Bench, number: u32, second: u64) -> Seen {
    edge(bench, number, second, |_| Command::Sweep).await
}

/// Lets the pod close the socket of a satellite that says nothing.
pub(super) async fn give_up(bench: &Bench, number: u32, second: u64) -> Seen {
    edge(bench, number, second, |read| Command::Close {
        epoch: read.record.epoch,
        reason: CloseReason::IdleTimeout,
    })
    .await
}

async fn edge(
    bench: &Bench,
    number: u32,
    second: u64,
    command: impl Fn(&crate::ports::ConnectionSnapshot) -> Command,
) -> Seen {
    let store = bench.handle(0);
    let Some(mut read) = store.snapshot(satellite_id(number)).await? else {
        return Err(Fault::Seen(format!("satellite {number} is not there")));
    };
    let decided_on = command(&read);
    // Somebody watched all along, as far as the decision knows; the write is not guarded by it.
    read.watch = Some(WatchSpan { since: AT, until: at(second + 1_000) });
    let context = read.context(at(second), Millis::ZERO);
    let Decision::Record(change) = decide(&read.record, &decided_on, &context) else {
        return Err(Fault::Seen(format!("{decided_on:?} of satellite {number} was refused")));
    };
    let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
    let write = EdgeWrite { read, change, guard: Guard::Session, origin, now: at(second) };
    let outcomes = store.record_edges(vec![write]).await?;
    same!(outcomes, vec![WriteOutcome::Applied], "what became of an edge");
    Ok(())
}
