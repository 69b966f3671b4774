//! What satellites run, for as many as are asked for in the same few statements.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use groundcontrol_core::assignment::{
    Assignment, AssignmentId, Catalogue, Check, Configuration, Place, Revision, StoredRevision,
    System, Target,
};
use groundcontrol_core::satellite::{Region, SatelliteId};
use sea_orm::QueryResult;
use uuid::Uuid;

use super::connections::id_list;
use super::work::{self, ASSIGNMENT, CHECK, CHECK_COLUMNS, SYSTEM, SYSTEM_COLUMNS};
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};

type Read<T> = Result<T, Failure>;

/// What each of `ids` runs. One statement reads assignments with their checks and systems; only
/// where there are some, one more reads who is named, and another the tags that selectors look at.
pub(crate) async fn configurations(
    database: &Database,
    ids: Vec<SatelliteId>,
) -> Read<HashMap<SatelliteId, Arc<Configuration>>> {
    let rows = database.all(assigned_sql(database), [id_list(database, &ids)?]).await?;
    if rows.is_empty() {
        let nothing = Arc::new(Configuration::default());
        return Ok(ids.into_iter().map(|id| (id, nothing.clone())).collect());
    }
    let Parts { systems, checks, mut assignments } = parts(&rows)?;
    name_satellites(database, &mut assignments, &ids).await?;
    let places = places(database, &assignments, &ids).await?;
    let catalogue = Catalogue::new(systems, checks, assignments);
    let found = catalogue.configurations(&places);
    let mut found: HashMap<_, _> = places.iter().map(|place| place.satellite).zip(found).collect();
    let nothing = Arc::new(Configuration::default());
    for id in ids {
        found.entry(id).or_insert_with(|| nothing.clone());
    }
    Ok(found)
}

/// The revisions of those of `ids` that have one.
pub(crate) async fn revisions(
    database: &Database,
    ids: Vec<SatelliteId>,
) -> Read<HashMap<SatelliteId, StoredRevision>> {
    let sql = format!(
        "SELECT satellite_id, revision, fingerprint, applied FROM satellite_configurations \
         WHERE satellite_id IN {}",
        database.dialect.ids()
    );
    let rows = database.all(sql, [id_list(database, &ids)?]).await?;
    rows.iter().map(revision).collect()
}

fn revision(row: &QueryResult) -> Read<(SatelliteId, StoredRevision)> {
    let columns = &mut Columns::of(row, "revision of satellite");
    let satellite = SatelliteId(columns.key()?);
    let revision = Revision(columns.count()?);
    let fingerprint = columns.parsed()?;
    let applied = columns.opt_int()?.and_then(|applied| u64::try_from(applied).ok());
    Ok((satellite, StoredRevision { revision, fingerprint, applied: applied.map(Revision) }))
}

fn assigned_sql(database: &Database) -> String {
    format!(
        "SELECT {CHECK}, {SYSTEM}, {ASSIGNMENT} FROM assignments AS a \
         JOIN checks AS c ON c.id = a.check_id JOIN systems AS s ON s.id = a.system_id \
         WHERE a.selector_tags IS NOT NULL OR a.id IN \
         (SELECT assignment_id FROM assignment_satellites WHERE satellite_id IN {})",
        database.dialect.ids()
    )
}

#[derive(Default)]
struct Parts {
    systems: Vec<System>,
    checks: Vec<Check>,
    assignments: Vec<Assignment>,
}

/// Each check and system is read once, however many assignments have it.
fn parts(rows: &[QueryResult]) -> Read<Parts> {
    let mut parts = Parts::default();
    let (mut checks, mut systems) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let columns = &mut Columns::of(row, "assigned check");
        if is_new(&mut checks, work::peek_id(row, 0)?) {
            parts.checks.push(work::check_of(columns)?);
        }
        columns.go_to(CHECK_COLUMNS);
        if is_new(&mut systems, work::peek_id(row, CHECK_COLUMNS)?) {
            parts.systems.push(work::system_of(columns)?);
        }
        columns.go_to(CHECK_COLUMNS + SYSTEM_COLUMNS);
        parts.assignments.push(work::assignment_of(columns)?);
    }
    Ok(parts)
}

fn is_new(seen: &mut BTreeMap<Uuid, ()>, id: Uuid) -> bool {
    seen.insert(id, ()).is_none()
}

/// Enters which of `ids` the assignments name; others are of no interest here.
async fn name_satellites(
    database: &Database,
    assignments: &mut [Assignment],
    ids: &[SatelliteId],
) -> Read<()> {
    if assignments.iter().all(|one| matches!(one.target, Target::Selected(_))) {
        return Ok(());
    }
    let sql = format!(
        "SELECT assignment_id, satellite_id FROM assignment_satellites WHERE satellite_id IN {}",
        database.dialect.ids()
    );
    let rows = database.all(sql, [id_list(database, ids)?]).await?;
    let mut named: BTreeMap<AssignmentId, Vec<SatelliteId>> = work::named_by(&rows)?;
    for assignment in assignments {
        if let Target::Satellites(satellites) = &mut assignment.target {
            satellites.extend(named.remove(&assignment.id).unwrap_or_default());
        }
    }
    Ok(())
}

/// What selectors look at; where nothing selects, the ids are enough.
async fn places(
    database: &Database,
    assignments: &[Assignment],
    ids: &[SatelliteId],
) -> Read<Vec<Place>> {
    if !assignments.iter().any(|one| matches!(one.target, Target::Selected(_))) {
        let nowhere = "-".parse::<Region>().map_err(|why| Failure::Corrupt(why.to_string()))?;
        let place = |id: &SatelliteId| Place {
            satellite: *id,
            region: nowhere.clone(),
            tags: Default::default(),
        };
        return Ok(ids.iter().map(place).collect());
    }
    let sql =
        format!("SELECT id, region, tags FROM satellites WHERE id IN {}", database.dialect.ids());
    let rows = database.all(sql, [id_list(database, ids)?]).await?;
    rows::all(&rows, |row| {
        let columns = &mut Columns::of(row, "satellite");
        let satellite = SatelliteId(columns.key()?);
        Ok(Place { satellite, region: columns.parsed()?, tags: rows::tags(columns)? })
    })
}
