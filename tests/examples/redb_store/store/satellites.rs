//! How satellites are described, and lists of them.

use std::collections::BTreeSet;
use std::ops::Bound;

use groundcontrol_core::connection::ConnectionRecord;
use groundcontrol_core::ports::{
    CreateOutcome, ListQuery, NewSatellite, SatelliteUpdate, StoredSatellite, UpdateOutcome,
};
use groundcontrol_core::satellite::{CredentialVersion, ReportedAgent, Satellite, SatelliteId};
use redb::{ReadTransaction, WriteTransaction};
use uuid::Uuid;

use super::error::Done;
use super::rows::{Fleet, Row, Rows, row};
use super::tables::{NAMES, SATELLITES};

/// The same creation again is a repetition after a lost reply (property P1): it succeeds, and
/// resets nothing that has happened since.
pub(super) fn create(transaction: &WriteTransaction, new: NewSatellite) -> Done<CreateOutcome> {
    let mut rows = Rows::open(transaction, &Fleet::read(transaction)?)?;
    let NewSatellite { satellite, token } = new;
    if rows.get(satellite.id)?.is_some() {
        return Ok(CreateOutcome::Created);
    }
    if rows.is_taken(&satellite.name, satellite.id)? {
        return Ok(CreateOutcome::NameTaken);
    }
    let made = Row {
        satellite,
        record: ConnectionRecord::default(),
        credential_version: CredentialVersion::default(),
        tokens: vec![token],
    };
    rows.replace(None, &made)?;
    Ok(CreateOutcome::Created)
}

pub(super) fn get_many(
    transaction: &ReadTransaction,
    ids: BTreeSet<SatelliteId>,
) -> Done<Vec<StoredSatellite>> {
    let fleet = Fleet::read(transaction)?;
    let satellites = transaction.open_table(SATELLITES)?;
    let found = ids.into_iter().filter_map(|id| row(&satellites, id).transpose());
    found.map(|row| Ok(row?.stored(&fleet))).collect()
}

pub(super) fn list(transaction: &ReadTransaction, query: &ListQuery) -> Done<Vec<StoredSatellite>> {
    let fleet = Fleet::read(transaction)?;
    let (names, satellites) = (transaction.open_table(NAMES)?, transaction.open_table(SATELLITES)?);
    let start = match &query.after {
        Some(name) => Bound::Excluded(name.as_str()),
        None => Bound::Unbounded,
    };
    let mut listed = Vec::new();
    for entry in names.range::<&str>((start, Bound::Unbounded))? {
        if listed.len() >= query.limit {
            break;
        }
        let id = SatelliteId(Uuid::from_u128(entry?.1.value()));
        let Some(row) = row(&satellites, id)? else { continue };
        let stored = row.stored(&fleet);
        // Rule S3: status is never asked of anybody but the core.
        let has_status = query.status.is_none_or(|wanted| stored.status(query.now) == wanted);
        if has_status && matches(&stored.satellite, query) {
            listed.push(stored);
        }
    }
    Ok(listed)
}

/// Everything that a query asks for but the status.
fn matches(satellite: &Satellite, query: &ListQuery) -> bool {
    let tags = satellite.tags.as_map();
    query.region.as_deref().is_none_or(|region| region == satellite.region.as_str())
        && query.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
        && query.text.as_deref().is_none_or(|text| contains(satellite, text))
}

fn contains(satellite: &Satellite, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    satellite.name.as_str().to_ascii_lowercase().contains(&text)
        || satellite.region.as_str().to_ascii_lowercase().contains(&text)
        || satellite.id.to_string().starts_with(&text)
}

/// All fields or none: what is refused is found before anything is written.
pub(super) fn update(
    transaction: &WriteTransaction,
    id: SatelliteId,
    update: SatelliteUpdate,
) -> Done<UpdateOutcome> {
    let mut rows = Rows::open(transaction, &Fleet::read(transaction)?)?;
    let Some(before) = rows.get(id)? else { return Ok(UpdateOutcome::Gone) };
    if let Some(name) = &update.name
        && rows.is_taken(name, id)?
    {
        return Ok(UpdateOutcome::NameTaken);
    }
    let mut after = before.clone();
    let satellite = &mut after.satellite;
    satellite.name = update.name.unwrap_or(satellite.name.clone());
    satellite.region = update.region.unwrap_or(satellite.region.clone());
    satellite.tags = update.tags.unwrap_or(satellite.tags.clone());
    satellite.own_threshold = update.own_threshold.unwrap_or(satellite.own_threshold);
    rows.replace(Some(&before), &after)?;
    Ok(UpdateOutcome::Updated)
}

pub(super) fn record_agent(
    transaction: &WriteTransaction,
    id: SatelliteId,
    agent: ReportedAgent,
) -> Done<()> {
    let mut rows = Rows::open(transaction, &Fleet::read(transaction)?)?;
    if let Some(before) = rows.get(id)? {
        let mut after = before.clone();
        after.satellite.agent = agent;
        rows.replace(Some(&before), &after)?;
    }
    Ok(())
}
