//! From rows to what the core calls them. What makes no sense is named with its row; names of
//! events and causes that this version does not know are read as none (rule E4).

use std::collections::BTreeMap;
use std::fmt;

use groundcontrol_core::connection::{
    Actor, Cause, ConnectionRecord, ConnectionState, LifecycleEvent, Recorded, RegionLoss, Status,
    Transition, TransitionKind, WatchSpan,
};
use groundcontrol_core::desired::Manager;
use groundcontrol_core::limits;
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, ConnectionSnapshot, EventCursor, RecordedEvent, Scope, StoredSatellite,
};
use groundcontrol_core::satellite::{
    CredentialVersion, Epoch, HashedToken, Name, OwnThreshold, PodName, Region, ReportedAgent,
    Satellite, SatelliteId, Seq, SessionId, Tags, TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use sea_orm::{QueryResult, TryGetable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Failure;

/// The columns of [`snapshot`], with `satellites` as `s` and `satellite_connections` as `c`.
pub(crate) fn snapshot_columns() -> String {
    format!(
        "c.satellite_id, s.name, s.region, {RECORD}, c.offline_threshold_ms, {}, \
         c.credential_version, (SELECT since FROM watch_span), (SELECT until FROM watch_span)",
        default_threshold()
    )
}

/// The columns of [`stored_satellite`], with the same aliases.
pub(crate) fn stored_columns() -> String {
    format!(
        "s.id, s.name, s.region, {RECORD}, c.offline_threshold_ms, {}, \
         s.tags, s.enabled, s.version, s.capabilities, s.managed_by, s.created_at",
        default_threshold()
    )
}

/// The default threshold in SQL.
pub(crate) fn default_threshold() -> String {
    let otherwise = limits::OFFLINE_THRESHOLD.as_i64();
    format!("COALESCE((SELECT default_threshold_ms FROM fleet_settings), {otherwise})")
}

const RECORD: &str = "c.epoch, c.session, c.token_id, c.last_heartbeat_at, c.last_event, \
    c.last_event_at, c.last_cause, c.seq";

/// The columns of [`recorded_event`].
pub(crate) const TRANSITION_COLUMNS: &str = "position, satellite_id, seq, epoch, session, event, \
    cause, occurred_at, pod, actor, remote_address, name, region, previous_status, \
    previous_epoch, previous_last_seen_at, previous_event, previous_event_at, previous_cause, \
    next_status, next_last_seen_at, details";

/// Reads the columns of one row from left to right.
pub(crate) struct Columns<'a> {
    row: &'a QueryResult,
    next: usize,
    /// Kind and id of what is read, for errors.
    what: &'static str,
    id: Option<Uuid>,
}

type Read<T> = Result<T, Failure>;

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a QueryResult, what: &'static str) -> Self {
        Self { row, next: 0, what, id: None }
    }

    pub(crate) fn take<T: TryGetable>(&mut self) -> Read<T> {
        let value = self.row.try_get_by_index(self.next).map_err(|error| self.nonsense(error))?;
        self.next += 1;
        Ok(value)
    }

    /// The id that the row is named by in errors.
    pub(crate) fn key(&mut self) -> Read<Uuid> {
        let id = self.take()?;
        self.id = Some(id);
        Ok(id)
    }

    /// Goes on with column `at`, from 0.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.next = at;
    }

    pub(crate) fn id(&mut self) -> Read<Uuid> {
        self.take()
    }

    pub(crate) fn int(&mut self) -> Read<i64> {
        self.take()
    }

    pub(crate) fn opt_int(&mut self) -> Read<Option<i64>> {
        self.take()
    }

    pub(crate) fn count(&mut self) -> Read<u64> {
        let value = self.int()?;
        u64::try_from(value).map_err(|_| self.nonsense(format_args!("{value} is negative")))
    }

    pub(crate) fn text(&mut self) -> Read<String> {
        self.take()
    }

    pub(crate) fn opt_text(&mut self) -> Read<Option<String>> {
        self.take()
    }

    /// What keeps the row; a manager that only a newer version knows is none here.
    pub(crate) fn manager(&mut self) -> Read<Option<Manager>> {
        Ok(self.opt_text()?.and_then(|name| Manager::from_name(&name)))
    }

    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        self.int().map(Timestamp::from_millis)
    }

    pub(crate) fn opt_time(&mut self) -> Read<Option<Timestamp>> {
        Ok(self.opt_int()?.map(Timestamp::from_millis))
    }

    pub(crate) fn millis(&mut self) -> Read<Millis> {
        self.count().map(Millis::new)
    }

    fn own_threshold(&mut self) -> Read<Option<OwnThreshold>> {
        match self.opt_int()? {
            None => Ok(None),
            Some(value) => u64::try_from(value)
                .map(|millis| OwnThreshold::stored(Millis::new(millis)))
                .map_err(|_| self.nonsense(format_args!("threshold {value} is negative"))),
        }
    }

    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> Read<T>
    where
        T::Err: fmt::Display,
    {
        let text = self.text()?;
        text.parse().map_err(|why| self.nonsense(format_args!("{text:?}: {why}")))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Read<T> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|why| self.nonsense(why))
    }

    pub(crate) fn nonsense(&self, why: impl fmt::Display) -> Failure {
        let (what, column) = (self.what, self.next);
        Failure::Corrupt(match self.id {
            Some(id) => format!("{what} {}, near column {column}: {why}", id.hyphenated()),
            None => format!("{what}, near column {column}: {why}"),
        })
    }
}

pub(crate) fn snapshot(columns: &mut Columns<'_>) -> Read<ConnectionSnapshot> {
    Ok(ConnectionSnapshot {
        satellite: SatelliteId(columns.key()?),
        name: columns.parsed::<Name>()?,
        region: columns.parsed::<Region>()?,
        record: record(columns)?,
        own_threshold: columns.own_threshold()?,
        default_threshold: columns.millis()?,
        credential_version: CredentialVersion(columns.count()?),
        watch: watch_span(columns)?,
    })
}

pub(crate) fn stored_satellite(row: &QueryResult) -> Read<StoredSatellite> {
    let columns = &mut Columns::of(row, "satellite");
    let id = SatelliteId(columns.key()?);
    let (name, region) = (columns.parsed::<Name>()?, columns.parsed::<Region>()?);
    let record = record(columns)?;
    let own_threshold = columns.own_threshold()?;
    let default_threshold = columns.millis()?;
    let tags = tags(columns)?;
    let enabled = columns.take()?;
    let agent = agent(columns)?;
    let managed_by = columns.manager()?;
    let created_at = columns.time()?;
    Ok(StoredSatellite {
        satellite: Satellite {
            id,
            name,
            region,
            tags,
            own_threshold,
            enabled,
            agent,
            managed_by,
            created_at,
        },
        record,
        threshold: own_threshold.map_or(default_threshold, OwnThreshold::get),
    })
}

fn record(columns: &mut Columns<'_>) -> Read<ConnectionRecord> {
    Ok(ConnectionRecord {
        epoch: Epoch(columns.count()?),
        session: columns.take::<Option<Uuid>>()?.map(SessionId),
        token: columns.take::<Option<Uuid>>()?.map(TokenId),
        last_heartbeat_at: columns.opt_time()?,
        last_event: columns.opt_text()?.and_then(|name| LifecycleEvent::from_name(&name)),
        last_event_at: columns.opt_time()?,
        last_cause: columns.opt_text()?.and_then(|name| Cause::from_name(&name)),
        seq: Seq(columns.count()?),
    })
}

pub(crate) fn watch_span(columns: &mut Columns<'_>) -> Read<Option<WatchSpan>> {
    let (since, until) = (columns.opt_time()?, columns.opt_time()?);
    Ok(since.zip(until).map(|(since, until)| WatchSpan { since, until }))
}

pub(crate) fn agent(columns: &mut Columns<'_>) -> Read<ReportedAgent> {
    Ok(ReportedAgent { version: columns.opt_text()?, capabilities: columns.json()? })
}

/// Whether the satellite is enabled.
pub(crate) fn enabled(columns: &mut Columns<'_>) -> Read<bool> {
    columns.take()
}

pub(crate) fn tags(columns: &mut Columns<'_>) -> Read<Tags> {
    let map: BTreeMap<String, String> = columns.json()?;
    Tags::new(map).map_err(|(key, why)| columns.nonsense(format_args!("tag {key:?} {why}")))
}

/// The token in the next three columns; none where an outer join found none.
pub(crate) fn token(columns: &mut Columns<'_>) -> Read<Option<HashedToken>> {
    let id: Option<Uuid> = columns.take()?;
    let hash = columns.opt_text()?;
    let expires_at = columns.opt_time()?;
    let Some((id, hash)) = id.zip(hash) else { return Ok(None) };
    let hash = TokenHash::from_stored(&hash)
        .map_err(|why| columns.nonsense(format_args!("token {}: {why}", id.hyphenated())))?;
    Ok(Some(HashedToken { id: TokenId(id), hash, expires_at }))
}

pub(crate) fn recorded_event(row: &QueryResult) -> Read<RecordedEvent> {
    let columns = &mut Columns::of(row, "transition of");
    let cursor = EventCursor { commit: 0, position: columns.count()? };
    let satellite = SatelliteId(columns.key()?);
    let (seq, epoch) = (Seq(columns.count()?), Epoch(columns.count()?));
    let session = columns.take::<Option<Uuid>>()?.map(SessionId);
    let event = columns.text()?;
    let kind = TransitionKind::from_name(&event);
    let cause = columns.opt_text()?.and_then(|name| Cause::from_name(&name));
    let occurred_at = columns.time()?;
    let pod = PodName::new(&columns.text()?);
    let actor = columns.opt_text()?.map(Actor);
    let remote_address = columns.opt_text()?;
    let named = (columns.parsed::<Name>()?, columns.parsed::<Region>()?);
    let region = named.1.clone();
    let previous = previous_state(columns, &named, seq)?;
    let after = ConnectionState {
        status: Status::Offline,
        name: named.0,
        region: named.1,
        last_seen_at: None,
        last_event: match kind {
            Some(TransitionKind::Edge(event)) => Some(event),
            Some(TransitionKind::Removed) | None => None,
        },
        last_event_at: Some(occurred_at),
        cause,
        seq,
        epoch,
    };
    let next = status(columns)?;
    let last_seen_at = columns.opt_time()?;
    let next = next.map(|status| ConnectionState { status, last_seen_at, ..after });
    let transition = Transition {
        satellite,
        seq,
        epoch,
        session,
        kind,
        cause,
        occurred_at,
        pod,
        actor,
        remote_address,
        previous,
        next,
    };
    let Some(details) = columns.opt_text()? else {
        return Ok(RecordedEvent::of(cursor, transition));
    };
    let recorded = match event == REGION_LOSS {
        true => Recorded::RegionLoss(region_loss(columns, &transition, &details, region)?),
        false => Recorded::Transition(transition),
    };
    Ok(RecordedEvent { cursor, recorded })
}

/// What the row of a region's loss holds besides.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegionLossDetails {
    pub(crate) since: i64,
    pub(crate) lost: u64,
    pub(crate) total: u64,
    pub(crate) window_ms: u64,
}

/// The word for the loss of a region among the events that rows hold.
pub(crate) const REGION_LOSS: &str = "region_loss_suspected";

fn region_loss(
    columns: &Columns<'_>,
    row: &Transition,
    details: &str,
    region: Region,
) -> Read<RegionLoss> {
    let details: RegionLossDetails =
        serde_json::from_str(details).map_err(|why| columns.nonsense(why))?;
    Ok(RegionLoss {
        region,
        seq: row.seq,
        since: Timestamp::from_millis(details.since),
        occurred_at: row.occurred_at,
        lost: details.lost,
        total: details.total,
        window: Millis::new(details.window_ms),
        pod: row.pod.clone(),
    })
}

/// Who ran what: nobody is the nil id, so that it can be part of a key.
pub(crate) fn runner(id: Uuid) -> Option<SatelliteId> {
    (!id.is_nil()).then_some(SatelliteId(id))
}

/// The other way round.
pub(crate) fn runner_id(satellite: Option<SatelliteId>) -> Uuid {
    satellite.map_or(Uuid::nil(), |satellite| satellite.0)
}

/// The satellites in one text of 32 hexadecimal digits each; none where it is null.
pub(crate) fn all_ids(row: &QueryResult) -> Read<Vec<SatelliteId>> {
    let columns = &mut Columns::of(row, "connections");
    let text = columns.opt_text()?.unwrap_or_default();
    let id = |digits: &[u8]| {
        let id = Uuid::try_parse_ascii(digits).map_err(|why| columns.nonsense(why));
        id.map(SatelliteId)
    };
    text.as_bytes().chunks(32).map(id).collect()
}

/// The state before the transition `seq`, from six columns.
fn previous_state(
    columns: &mut Columns<'_>,
    (name, region): &(Name, Region),
    seq: Seq,
) -> Read<Option<ConnectionState>> {
    let status = status(columns)?;
    let epoch = columns.opt_int()?;
    let last_seen_at = columns.opt_time()?;
    let last_event = columns.opt_text()?.and_then(|name| LifecycleEvent::from_name(&name));
    let last_event_at = columns.opt_time()?;
    let cause = columns.opt_text()?.and_then(|name| Cause::from_name(&name));
    let Some(status) = status else { return Ok(None) };
    Ok(Some(ConnectionState {
        status,
        name: name.clone(),
        region: region.clone(),
        last_seen_at,
        last_event,
        last_event_at,
        cause,
        seq: Seq(seq.0.saturating_sub(1)),
        epoch: Epoch(epoch.and_then(|epoch| u64::try_from(epoch).ok()).unwrap_or_default()),
    }))
}

fn status(columns: &mut Columns<'_>) -> Read<Option<Status>> {
    match columns.opt_text()? {
        None => Ok(None),
        Some(name) => match Status::from_name(&name) {
            Some(status) => Ok(Some(status)),
            None => Err(columns.nonsense(format_args!("unknown status {name:?}"))),
        },
    }
}

/// The columns of [`api_token`].
pub(crate) const API_TOKEN_COLUMNS: &str = "id, name, scopes, created_at, expires_at";

pub(crate) fn api_token(row: &QueryResult) -> Read<ApiToken> {
    let columns = &mut Columns::of(row, "API token");
    let id = ApiTokenId(columns.key()?);
    let name = columns.text()?;
    let names: Vec<String> = columns.json()?;
    // A scope that only a newer version knows allows nothing here.
    let scopes = names.iter().filter_map(|name| Scope::from_name(name)).collect();
    Ok(ApiToken { id, name, scopes, created_at: columns.time()?, expires_at: columns.opt_time()? })
}

/// All `rows`, each read by `read`.
pub(crate) fn all<T>(rows: &[QueryResult], read: impl Fn(&QueryResult) -> Read<T>) -> Read<Vec<T>> {
    rows.iter().map(read).collect()
}
