//! Making what is not here yet, and changing what differs.

use std::collections::BTreeMap;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use groundcontrol_core::limits::{HEARTBEAT_INTERVAL, MAX_PAGE};
use groundcontrol_core::ports::{
    CreateOutcome, ListQuery, NewSatellite, SatelliteStore, SatelliteUpdate, StoreResult,
    UpdateOutcome,
};
use groundcontrol_core::satellite::{Name, Satellite, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};

use super::judge::{Problem, Sound, judge};
use crate::wiring::CheckstackSatellite;

/// Writes that wait for the store at the same time, so that it commits them together.
const AT_ONCE: usize = 64;

/// What becomes of one satellite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is made.
    Made,
    /// These of its fields are changed.
    Changed(Vec<&'static str>),
    /// It is here, and the same.
    Same,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What became of each sound satellite, or would, in the order of the rows.
    pub outcomes: Vec<(Satellite, Outcome)>,
    /// Rows that are no satellites of ours.
    pub problems: Vec<Problem>,
    /// Whether anything was written.
    pub written: bool,
}

/// What is to be written for one satellite.
enum Write {
    Create(Box<NewSatellite>),
    Update(SatelliteId, SatelliteUpdate),
}

/// Judges `rows` and writes what is new or different. Nothing is written on a `dry_run`, nor where
/// a row is at fault, unless it is to be skipped. Without a `store` there is nothing yet.
pub async fn import(
    rows: &[CheckstackSatellite],
    store: Option<&dyn SatelliteStore>,
    now: Timestamp,
    dry_run: bool,
    skip_invalid: bool,
) -> anyhow::Result<Imported> {
    let (interval, here) = match store {
        Some(store) => (interval(store).await?, here(store).await?),
        None => (HEARTBEAT_INTERVAL, BTreeMap::new()),
    };
    let mut imported = Imported::default();
    let mut names: BTreeMap<Name, SatelliteId> =
        here.values().map(|one| (one.name.clone(), one.id)).collect();
    let mut writes = Vec::new();
    for row in rows {
        match judge(row, interval, now).and_then(|sound| unused(sound, &mut names)) {
            Ok(sound) => {
                let (outcome, write) = compared(&sound, here.get(&sound.satellite.id));
                writes.extend(write);
                imported.outcomes.push((sound.satellite, outcome));
            }
            Err(problem) => imported.problems.push(problem),
        }
    }
    let is_sound = imported.problems.is_empty() || skip_invalid;
    if let Some(store) = store.filter(|_| is_sound && !dry_run) {
        imported.written = true;
        write(writes, store).await.context("the import stopped half-way; run it again to go on")?;
    }
    Ok(imported)
}

async fn interval(store: &dyn SatelliteStore) -> anyhow::Result<Millis> {
    let liveness = store.liveness().await?;
    Ok(liveness.map_or(HEARTBEAT_INTERVAL, |fleet| fleet.heartbeat_interval))
}

/// Everything that is here, by id.
async fn here(store: &dyn SatelliteStore) -> anyhow::Result<BTreeMap<SatelliteId, Satellite>> {
    let mut here = BTreeMap::new();
    let mut after: Option<Name> = None;
    loop {
        let query = ListQuery { after: after.take(), limit: MAX_PAGE, ..ListQuery::default() };
        let page = store.list(&query).await?;
        let is_last = page.len() < MAX_PAGE;
        after = page.last().map(|stored| stored.satellite.name.clone());
        here.extend(page.into_iter().map(|stored| (stored.satellite.id, stored.satellite)));
        if is_last {
            return Ok(here);
        }
    }
}

/// The same, unless its name is that of another satellite, here or among the rows.
fn unused(sound: Sound, names: &mut BTreeMap<Name, SatelliteId>) -> Result<Sound, Problem> {
    let Satellite { id, name, .. } = &sound.satellite;
    match names.get(name) {
        Some(other) if other != id => {
            let why = vec![format!("another satellite has the name, {other}")];
            Err(Problem { row: format!("{name} ({id})"), why })
        }
        Some(_) | None => {
            names.insert(name.clone(), *id);
            Ok(sound)
        }
    }
}

/// What becomes of a satellite beside what is here of it. Neither its credentials nor what its
/// agent said here are touched.
fn compared(sound: &Sound, here: Option<&Satellite>) -> (Outcome, Option<Write>) {
    let Sound { satellite, token } = sound.clone();
    let Some(here) = here else {
        return (Outcome::Made, Some(Write::Create(Box::new(NewSatellite { satellite, token }))));
    };
    let mut changed = Vec::new();
    let mut differs = |is_different: bool, field: &'static str| {
        changed.extend(is_different.then_some(field));
        is_different
    };
    let Satellite { id, name, region, tags, own_threshold, .. } = satellite;
    let update = SatelliteUpdate {
        name: differs(name != here.name, "name").then_some(name),
        region: differs(region != here.region, "region").then_some(region),
        tags: differs(tags != here.tags, "tags").then_some(tags),
        own_threshold: differs(own_threshold != here.own_threshold, "offlineThreshold")
            .then_some(own_threshold),
    };
    match changed.is_empty() {
        true => (Outcome::Same, None),
        false => (Outcome::Changed(changed), Some(Write::Update(id, update))),
    }
}

async fn write(writes: Vec<Write>, store: &dyn SatelliteStore) -> anyhow::Result<()> {
    let calls = writes.into_iter().map(|write| async move {
        let (name, done) = match write {
            Write::Create(new) => {
                let name = new.satellite.name.clone();
                let done = store.create(*new).await?;
                (Some(name), done == CreateOutcome::Created)
            }
            Write::Update(id, update) => {
                let name = update.name.clone();
                // One that was removed meanwhile is nobody's business any more.
                (name, store.update(id, update).await? != UpdateOutcome::NameTaken)
            }
        };
        StoreResult::Ok(name.filter(|_| !done))
    });
    let mut calls = stream::iter(calls).buffer_unordered(AT_ONCE);
    while let Some(answer) = calls.next().await {
        if let Some(name) = answer? {
            anyhow::bail!(
                "another satellite got the name {name:?} meanwhile",
                name = name.as_str()
            );
        }
    }
    Ok(())
}
