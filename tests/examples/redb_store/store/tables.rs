//! What is stored under which key.

use groundcontrol_core::time::Timestamp;
use redb::{
    Key, ReadTransaction, ReadableTable, TableDefinition, TableError, Value, WriteTransaction,
};

use super::error::Done;

/// A satellite's id: all of it in one row, so that reading it together needs no care. Every
/// heartbeat rewrites that row; where fleets are large, give the record a table of its own.
pub(super) const SATELLITES: TableDefinition<u128, &[u8]> = TableDefinition::new("satellites");
/// A name: whose it is. Keys are ordered by their bytes, as lists must be.
pub(super) const NAMES: TableDefinition<&str, u128> = TableDefinition::new("names");
/// Finds satellites without reading the others; see `Row::keys`.
pub(super) const INDEX: TableDefinition<(u8, i64, u128), ()> = TableDefinition::new("index");
/// Heartbeat interval and default threshold, in milliseconds.
pub(super) const LIVENESS: TableDefinition<(), (u64, u64)> = TableDefinition::new("liveness");
/// Start and end of the present span of watching, or of the last.
pub(super) const SPAN: TableDefinition<(), (i64, i64)> = TableDefinition::new("span");
/// A pod's name: until when its watch lease is valid.
pub(super) const LEASES: TableDefinition<&str, i64> = TableDefinition::new("leases");
/// A place in the order of all events: when it occurred, and the transition.
pub(super) const EVENTS: TableDefinition<u64, (i64, &[u8])> = TableDefinition::new("events");
/// A satellite's id and a seq: the place of that transition.
pub(super) const PLACES: TableDefinition<(u128, u64), u64> = TableDefinition::new("places");
/// The place that was given last.
pub(super) const LAST_PLACE: TableDefinition<(), u64> = TableDefinition::new("last_place");
/// When the store was last probed.
const PROBED: TableDefinition<(), i64> = TableDefinition::new("probed");

/// Makes all tables, as readers can open none that was never written.
pub(super) fn create(transaction: &WriteTransaction) -> Done<()> {
    transaction.open_table(SATELLITES)?;
    transaction.open_table(NAMES)?;
    transaction.open_table(INDEX)?;
    transaction.open_table(LIVENESS)?;
    transaction.open_table(SPAN)?;
    transaction.open_table(LEASES)?;
    transaction.open_table(EVENTS)?;
    transaction.open_table(PLACES)?;
    transaction.open_table(LAST_PLACE)?;
    transaction.open_table(PROBED)?;
    Ok(())
}

/// Reads and writes a trifle. Both are asked for: a full disk can still be read.
pub(super) fn probe(transaction: &WriteTransaction, now: Timestamp) -> Done<()> {
    let mut probed = transaction.open_table(PROBED)?;
    let last = probed.get(())?.map_or(now.as_millis(), |last| last.value());
    probed.insert((), last.max(now.as_millis()))?;
    Ok(())
}

/// A transaction of either kind, for what both read.
pub(super) trait Reading {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, TableError>;
}

impl Reading for ReadTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, TableError> {
        self.open_table(definition)
    }
}

impl Reading for WriteTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, TableError> {
        self.open_table(definition)
    }
}
