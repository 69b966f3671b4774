//! What the cases share: numbered satellites, sessions and tokens, and pods that read, decide
//! and write.

use std::sync::Arc;

use uuid::Uuid;

use crate::conformance::Fixture;
use crate::conformance::runner::{Fault, Seen};
use crate::connection::{
    Change, CloseReason, Command, Decision, Origin, RevokeScope, Transition, WatchSpan, decide,
};
use crate::ports::{
    ConnectionSnapshot, CreateOutcome, CredentialAction, CredentialChange, EdgeWrite, Guard,
    HeartbeatWrite, ListQuery, NewSatellite, Removal, SatelliteStore, StoredSatellite,
    WriteOutcome,
};
use crate::satellite::{
    Epoch, HashedToken, Liveness, OwnThreshold, PodName, ReportedAgent, Satellite, SatelliteId,
    SessionId, Tags, Token, TokenHash, TokenId,
};
use crate::time::{Millis, Timestamp};

pub(super) type Bench = Fixture<dyn SatelliteStore>;

/// The heartbeat interval of the cases, which is also the length of a watch lease.
pub(super) const INTERVAL: Millis = Millis::from_secs(5);
/// The default threshold of the cases.
pub(super) const THRESHOLD: Millis = Millis::from_secs(10);
/// The settle of the cases.
pub(super) const SETTLE: Millis = Millis::new(250);
/// More than any case makes of anything.
pub(super) const ALL: usize = 10_000;

/// The point `millis` after the cases' beginning, which is as large as real times are.
pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

pub(super) fn satellite_id(number: u32) -> SatelliteId {
    SatelliteId(Uuid::from_u128(u128::from(number) << 96 | 0x5a7e_0000))
}

pub(super) fn session(number: u32) -> SessionId {
    SessionId(Uuid::from_u128(u128::from(number) << 64 | 0x5e55))
}

/// Token `number`, different for each number; give each satellite its own.
pub(super) fn token(number: u32) -> HashedToken {
    let mut random = [0; 32];
    random[..4].copy_from_slice(&number.to_be_bytes());
    HashedToken {
        id: TokenId(Uuid::from_u128(u128::from(number) << 64 | 0x70ce)),
        hash: TokenHash::of(&Token::for_satellite(random)),
        expires_at: None,
    }
}

/// A threshold of a satellite's own.
pub(super) fn own(millis: u64) -> Option<OwnThreshold> {
    OwnThreshold::stored(Millis::new(millis))
}

pub(super) fn liveness(default_threshold: Millis) -> Liveness {
    Liveness { heartbeat_interval: INTERVAL, default_threshold }
}

/// Satellite `number`, called `satellite-<number>`, with token `number`.
pub(super) fn new_satellite(number: u32) -> Seen<NewSatellite> {
    Ok(NewSatellite {
        satellite: Satellite {
            id: satellite_id(number),
            name: format!("satellite-{number:05}").parse()?,
            region: "eu-central".parse()?,
            tags: Tags::default(),
            own_threshold: None,
            enabled: true,
            agent: ReportedAgent::default(),
            managed_by: None,
            created_at: at(0),
        },
        token: token(number),
    })
}

pub(super) fn list_all(now: Timestamp) -> ListQuery {
    ListQuery { now, limit: ALL, ..ListQuery::default() }
}

pub(super) fn ids(satellites: &[StoredSatellite]) -> Vec<SatelliteId> {
    satellites.iter().map(|stored| stored.satellite.id).collect()
}

pub(super) fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// One running instance with its own handle: reads, decides, writes.
pub(super) struct Pod {
    pub(super) store: Arc<dyn SatelliteStore>,
    pub(super) name: PodName,
}

impl Bench {
    /// Pod `number`.
    pub(super) fn pod(&self, number: usize) -> Pod {
        Pod { store: self.handle(number), name: PodName::new(&format!("pod-{number}")) }
    }

    /// Pod 0 on a store with liveness settings and satellites `1..=satellites`.
    pub(super) async fn fleet(&self, satellites: u32) -> Seen<Pod> {
        let pod = self.pod(0);
        pod.store.set_liveness(liveness(THRESHOLD)).await?;
        for number in 1..=satellites {
            pod.create(new_satellite(number)?).await?;
        }
        Ok(pod)
    }
}

impl Pod {
    pub(super) async fn create(&self, new: NewSatellite) -> Seen {
        let what = new.satellite.name.clone();
        same!(self.store.create(new).await?, CreateOutcome::Created, "creating {what}");
        Ok(())
    }

    pub(super) async fn get(&self, number: u32) -> Seen<StoredSatellite> {
        found(self.store.get(satellite_id(number)).await?, number)
    }

    pub(super) async fn read(&self, number: u32) -> Seen<ConnectionSnapshot> {
        found(self.store.snapshot(satellite_id(number)).await?, number)
    }

    /// Oldest first.
    pub(super) async fn history(&self, number: u32) -> Seen<Vec<Transition>> {
        let mut history = self.store.transitions(satellite_id(number), None, ALL).await?;
        history.reverse();
        Ok(history)
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { pod: self.name.clone(), actor: None, remote_address: None }
    }

    /// The edge that `command` makes of what was read.
    pub(super) fn edge(
        &self,
        read: &ConnectionSnapshot,
        command: &Command,
        now: Timestamp,
    ) -> Seen<EdgeWrite> {
        let guard = match command {
            Command::Connect { .. } => Guard::Credential,
            Command::Sweep => Guard::Silence,
            Command::Heartbeat { .. } | Command::Close { .. } | Command::Revoke { .. } => {
                Guard::Session
            }
        };
        let change = change(read, command, now)?;
        Ok(EdgeWrite { read: read.clone(), change, guard, origin: self.origin(), now })
    }

    pub(super) async fn write(&self, write: &EdgeWrite) -> Seen<WriteOutcome> {
        let outcomes = self.store.record_edges(vec![write.clone()]).await?;
        match outcomes[..] {
            [outcome] => Ok(outcome),
            _ => Err(Fault::Seen(format!("{} outcomes for one write", outcomes.len()))),
        }
    }

    /// Reads, decides, writes; nobody else does, so it must be applied. Answers what was read.
    pub(super) async fn record(
        &self,
        number: u32,
        command: impl FnOnce(&ConnectionSnapshot) -> Command,
        now: Timestamp,
    ) -> Seen<ConnectionSnapshot> {
        let read = self.read(number).await?;
        let write = self.edge(&read, &command(&read), now)?;
        let outcome = self.write(&write).await?;
        same!(outcome, WriteOutcome::Applied, "an undisturbed {:?}", write.change.edge);
        Ok(read)
    }

    /// Connects a satellite with a session of the same number as the time.
    pub(super) async fn connect(&self, number: u32, millis: i64) -> Seen<ConnectionSnapshot> {
        let session = millis.unsigned_abs() as u32;
        self.record(number, |read| connect(read, session), at(millis)).await
    }

    pub(super) async fn close(&self, number: u32, millis: i64) -> Seen<ConnectionSnapshot> {
        self.record(number, close, at(millis)).await
    }

    /// Records the loss of a satellite that was silent long enough.
    pub(super) async fn lose(&self, number: u32, millis: i64) -> Seen<ConnectionSnapshot> {
        self.watch(millis).await?;
        self.record(number, |_| Command::Sweep, at(millis)).await
    }

    /// Stores one heartbeat; answers whether it was applied.
    pub(super) async fn beat(&self, number: u32, epoch: u64, millis: i64) -> Seen<bool> {
        let beat = beat(number, epoch, millis);
        let refused = self.store.record_heartbeats(&[beat], at(millis)).await?;
        ensure!(refused.is_empty() || refused == [0], "{refused:?} of a batch of one");
        Ok(refused.is_empty())
    }

    /// Makes this pod watch at `millis`, without a lapse since the beginning.
    pub(super) async fn watch(&self, millis: i64) -> Seen<WatchSpan> {
        self.store.renew_watch(&self.name, at(0), Millis::new(millis.unsigned_abs())).await?;
        Ok(self.store.renew_watch(&self.name, at(millis), INTERVAL).await?)
    }

    /// A change of credentials, with the close that `scope` makes of what was read.
    pub(super) fn credential_change(
        &self,
        read: &ConnectionSnapshot,
        action: CredentialAction,
        scope: Option<RevokeScope>,
        now: Timestamp,
    ) -> CredentialChange {
        let edge = scope.and_then(|scope| change(read, &Command::Revoke { scope }, now).ok());
        CredentialChange { read: read.clone(), action, edge, origin: self.origin(), now }
    }

    /// Reads and changes credentials; must be applied. Answers what was read.
    pub(super) async fn change_credentials(
        &self,
        number: u32,
        action: CredentialAction,
        scope: Option<RevokeScope>,
        now: Timestamp,
    ) -> Seen<ConnectionSnapshot> {
        let read = self.read(number).await?;
        let what = format!("an undisturbed {action:?}");
        let change = self.credential_change(&read, action, scope, now);
        let outcome = self.store.change_credentials(change).await?;
        same!(outcome, WriteOutcome::Applied, "{what}");
        Ok(read)
    }

    /// Reads and removes; must be applied. Answers what was written.
    pub(super) async fn remove(&self, number: u32, millis: i64) -> Seen<Removal> {
        let read = self.read(number).await?;
        let removal = Removal { read, origin: self.origin(), now: at(millis) };
        let outcome = self.store.remove(removal.clone()).await?;
        same!(outcome, WriteOutcome::Applied, "an undisturbed removal");
        Ok(removal)
    }
}

/// What `command` changes.
pub(super) fn change(read: &ConnectionSnapshot, command: &Command, now: Timestamp) -> Seen<Change> {
    match decide(&read.record, command, &read.context(now, SETTLE)) {
        Decision::Record(change) => Ok(change),
        other => Err(Fault::Seen(format!(
            "{other:?} where {command:?} must be recorded, on the stored {:?}",
            read.record
        ))),
    }
}

/// A connect of session `number`, with the satellite's first token as it was read.
pub(super) fn connect(read: &ConnectionSnapshot, number: u32) -> Command {
    let satellite = (read.satellite.0.as_u128() >> 96) as u32;
    Command::Connect {
        session: session(number),
        token: token(satellite).id,
        seen_epoch: read.record.epoch,
        credential_version: read.credential_version,
    }
}

/// A close of the session that was read.
pub(super) fn close(read: &ConnectionSnapshot) -> Command {
    Command::Close { epoch: read.record.epoch, reason: CloseReason::ConnectionLost }
}

pub(super) fn beat(number: u32, epoch: u64, millis: i64) -> HeartbeatWrite {
    HeartbeatWrite { satellite: satellite_id(number), epoch: Epoch(epoch), at: at(millis) }
}

fn found<T>(read: Option<T>, number: u32) -> Seen<T> {
    read.ok_or_else(|| Fault::Seen(format!("no satellite {number}, which exists")))
}
