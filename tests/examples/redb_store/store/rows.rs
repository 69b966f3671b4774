//! A satellite's row, the keys that find it, and what holds for all satellites.

use std::collections::BTreeSet;

use groundcontrol_core::connection::{ConnectionRecord, LifecycleEvent, WatchSpan};
use groundcontrol_core::limits::OFFLINE_THRESHOLD;
use groundcontrol_core::ports::{ConnectionSnapshot, StoredSatellite};
use groundcontrol_core::satellite::{
    CredentialVersion, HashedToken, Liveness, Name, OwnThreshold, Satellite, SatelliteId, TokenHash,
};
use groundcontrol_core::time::{Millis, Timestamp};
use redb::{ReadableTable, Table, WriteTransaction};
use uuid::Uuid;

use super::encoding;
use super::error::Done;
use super::tables::{INDEX, LIVENESS, NAMES, Reading, SATELLITES, SPAN};

/// All that is stored of one satellite but its history, which outlives it (rule T7).
#[derive(Clone)]
pub(super) struct Row {
    pub(super) satellite: Satellite,
    pub(super) record: ConnectionRecord,
    pub(super) credential_version: CredentialVersion,
    pub(super) tokens: Vec<HashedToken>,
}

/// What a satellite is found by besides its id and name, and the value that it is ordered by.
#[derive(Clone, Copy)]
pub(super) enum Index {
    /// Connected: when its threshold passes.
    Passes,
    /// Its own threshold.
    OwnThreshold,
    /// When a token of it ends.
    TokenEnds,
    /// It has a bcrypt hash: 0.
    SlowHash,
}

impl Index {
    /// The key of `satellite` with `value`; keys of an index are ordered by value, then by id.
    pub(super) fn key(self, value: i64, satellite: SatelliteId) -> (u8, i64, u128) {
        (self as u8, value, satellite.0.as_u128())
    }

    /// The value and the satellite of each key with a value from `from` to `to`, in order.
    pub(super) fn range<'t>(
        self,
        index: &'t impl ReadableTable<(u8, i64, u128), ()>,
        from: i64,
        to: i64,
    ) -> Done<impl Iterator<Item = Done<(i64, SatelliteId)>> + 't> {
        let keys = index.range((self as u8, from, 0)..=(self as u8, to, u128::MAX))?;
        Ok(keys.map(|entry| {
            let (_, value, id) = entry?.0.value();
            Ok((value, SatelliteId(Uuid::from_u128(id))))
        }))
    }
}

impl Row {
    /// Rule S2.
    fn threshold(&self, default: Millis) -> Millis {
        self.satellite.own_threshold.map_or(default, OwnThreshold::get)
    }

    /// Where `INDEX` has this row.
    fn keys(&self, default: Millis) -> BTreeSet<(u8, i64, u128)> {
        let connected = self.record.last_event == Some(LifecycleEvent::Connected);
        let heard = self.record.last_heartbeat_at.filter(|_| connected);
        let passes = heard.map(|heard| (heard + self.threshold(default)).as_millis());
        let own = self.satellite.own_threshold.map(|own| own.get().as_i64());
        let ends = self.tokens.iter().filter_map(|token| token.expires_at);
        let is_slow = |token: &HashedToken| matches!(token.hash, TokenHash::Bcrypt(_));
        let slow = self.tokens.iter().any(is_slow).then_some(0);
        let keys = passes.map(|at| (Index::Passes, at)).into_iter();
        keys.chain(own.map(|own| (Index::OwnThreshold, own)))
            .chain(ends.map(|end| (Index::TokenEnds, end.as_millis())))
            .chain(slow.map(|zero| (Index::SlowHash, zero)))
            .map(|(index, value)| index.key(value, self.satellite.id))
            .collect()
    }

    pub(super) fn stored(self, fleet: &Fleet) -> StoredSatellite {
        let threshold = self.threshold(fleet.default_threshold);
        StoredSatellite { satellite: self.satellite, record: self.record, threshold }
    }

    pub(super) fn snapshot(&self, fleet: &Fleet) -> ConnectionSnapshot {
        ConnectionSnapshot {
            satellite: self.satellite.id,
            name: self.satellite.name.clone(),
            region: self.satellite.region.clone(),
            record: self.record.clone(),
            own_threshold: self.satellite.own_threshold,
            default_threshold: fleet.default_threshold,
            credential_version: self.credential_version,
            watch: fleet.watch,
        }
    }
}

/// What holds for all satellites. It is part of what is decided on, so it is read in the same
/// transaction as a row.
pub(super) struct Fleet {
    pub(super) default_threshold: Millis,
    pub(super) watch: Option<WatchSpan>,
}

impl Fleet {
    pub(super) fn read(transaction: &impl Reading) -> Done<Self> {
        let liveness = liveness(transaction)?;
        let span = transaction.table(SPAN)?.get(())?.map(|span| span.value());
        let at = Timestamp::from_millis;
        Ok(Self {
            default_threshold: liveness.map_or(OFFLINE_THRESHOLD, |set| set.default_threshold),
            watch: span.map(|(since, until)| WatchSpan { since: at(since), until: at(until) }),
        })
    }
}

pub(super) fn liveness(transaction: &impl Reading) -> Done<Option<Liveness>> {
    let stored = transaction.table(LIVENESS)?.get(())?.map(|stored| stored.value());
    Ok(stored.map(|(interval, threshold)| Liveness {
        heartbeat_interval: Millis::new(interval),
        default_threshold: Millis::new(threshold),
    }))
}

/// Answers the settings before. A changed default moves the thresholds of all satellites without
/// one of their own, at once (rule S2), so their keys are made anew. It is changed seldom.
pub(super) fn set_liveness(
    transaction: &WriteTransaction,
    new: Liveness,
) -> Done<Option<Liveness>> {
    let before = liveness(transaction)?;
    let default_before = Fleet::read(transaction)?.default_threshold;
    let stored = (new.heartbeat_interval.get(), new.default_threshold.get());
    transaction.open_table(LIVENESS)?.insert((), stored)?;
    if new.default_threshold != default_before {
        let mut index = transaction.open_table(INDEX)?;
        for entry in transaction.open_table(SATELLITES)?.iter()? {
            let (id, bytes) = entry?;
            let row = encoding::row(id.value(), bytes.value())?;
            move_keys(&mut index, &row.keys(default_before), &row.keys(new.default_threshold))?;
        }
    }
    Ok(before)
}

fn move_keys(
    index: &mut Table<'_, (u8, i64, u128), ()>,
    before: &BTreeSet<(u8, i64, u128)>,
    after: &BTreeSet<(u8, i64, u128)>,
) -> Done<()> {
    for key in before.difference(after) {
        index.remove(key)?;
    }
    for key in after.difference(before) {
        index.insert(key, ())?;
    }
    Ok(())
}

/// A satellite's row in `satellites`.
pub(super) fn row(
    satellites: &impl ReadableTable<u128, &'static [u8]>,
    id: SatelliteId,
) -> Done<Option<Row>> {
    let id = id.0.as_u128();
    let stored = satellites.get(id)?;
    stored.map(|bytes| encoding::row(id, bytes.value())).transpose()
}

/// The rows of one writing transaction: whatever changes here takes its name and its keys along.
pub(super) struct Rows<'t> {
    satellites: Table<'t, u128, &'static [u8]>,
    names: Table<'t, &'static str, u128>,
    index: Table<'t, (u8, i64, u128), ()>,
    default_threshold: Millis,
}

impl<'t> Rows<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, fleet: &Fleet) -> Done<Self> {
        Ok(Self {
            satellites: transaction.open_table(SATELLITES)?,
            names: transaction.open_table(NAMES)?,
            index: transaction.open_table(INDEX)?,
            default_threshold: fleet.default_threshold,
        })
    }

    pub(super) fn get(&self, id: SatelliteId) -> Done<Option<Row>> {
        row(&self.satellites, id)
    }

    /// Whether another satellite than `id` has the name.
    pub(super) fn is_taken(&self, name: &Name, id: SatelliteId) -> Done<bool> {
        let owner = self.names.get(name.as_str())?;
        Ok(owner.is_some_and(|owner| owner.value() != id.0.as_u128()))
    }

    /// Stores `after` in place of `before`.
    pub(super) fn replace(&mut self, before: Option<&Row>, after: &Row) -> Done<()> {
        let id = after.satellite.id.0.as_u128();
        if let Some(before) = before {
            self.names.remove(before.satellite.name.as_str())?;
        }
        self.names.insert(after.satellite.name.as_str(), id)?;
        self.satellites.insert(id, encoding::row_bytes(after)?.as_slice())?;
        let default = self.default_threshold;
        let keys = before.map(|row| row.keys(default)).unwrap_or_default();
        move_keys(&mut self.index, &keys, &after.keys(default))
    }

    pub(super) fn remove(&mut self, row: &Row) -> Done<()> {
        self.names.remove(row.satellite.name.as_str())?;
        self.satellites.remove(row.satellite.id.0.as_u128())?;
        move_keys(&mut self.index, &row.keys(self.default_threshold), &BTreeSet::new())
    }
}
