//! Making, changing and removing assignments.

use std::collections::BTreeSet;

use async_trait::async_trait;
use groundcontrol_core::assignment::{Assignment, AssignmentId, CheckId, SystemId, Target};
use groundcontrol_core::ports::{AssignmentUpdate, Dangling, Saved};
use groundcontrol_core::satellite::SatelliteId;
use sea_orm::Value;

use super::edges;
use super::job::Write;
use super::satellites::manager;
use super::transitions::Recording;
use super::work::exists;
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::table::{self, Cell};

/// Makes an assignment.
pub(crate) struct CreateAssignment(pub(crate) Assignment);

/// Changes an assignment.
pub(crate) struct UpdateAssignment(pub(crate) AssignmentId, pub(crate) AssignmentUpdate);

/// Removes an assignment.
pub(crate) struct RemoveAssignment(pub(crate) AssignmentId);

#[async_trait]
impl Write for CreateAssignment {
    type Output = Saved;
    const DOING: &'static str = "create an assignment";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let Assignment { id, check, system, target, managed_by, created_at } = &self.0;
        if exists(database, "assignments", id.0).await? {
            return Ok(Saved::Done);
        }
        if let Some(missing) = dangling(database, Some(*check), Some(*system), Some(target)).await?
        {
            return Ok(Saved::Dangling(missing));
        }
        let (region, tags) = selector(target);
        let insert = "INSERT INTO assignments (id, check_id, system_id, selector_region, \
            selector_tags, created_at, managed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values: [Value; 7] = [
            id.0.into(),
            check.0.into(),
            system.0.into(),
            region.into(),
            tags.into(),
            created_at.as_millis().into(),
            manager(*managed_by),
        ];
        database.execute(insert, values).await?;
        name_satellites(database, *id, target).await?;
        Ok(Saved::Done)
    }
}

#[async_trait]
impl Write for UpdateAssignment {
    type Output = Saved;
    const DOING: &'static str = "update an assignment";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let Self(id, AssignmentUpdate { check, system, target }) = self;
        if !exists(database, "assignments", id.0).await? {
            return Ok(Saved::Gone);
        }
        if let Some(missing) = dangling(database, *check, *system, target.as_ref()).await? {
            return Ok(Saved::Dangling(missing));
        }
        let update = "UPDATE assignments SET check_id = COALESCE($2, check_id), \
            system_id = COALESCE($3, system_id) WHERE id = $1";
        let (check, system) = (check.map(|check| check.0), system.map(|system| system.0));
        let values: [Value; 3] = [id.0.into(), check.into(), system.into()];
        database.execute(update, values).await?;
        if let Some(target) = target {
            let (region, tags) = selector(target);
            let update = "UPDATE assignments SET selector_region = $2, selector_tags = $3 \
                WHERE id = $1";
            database.execute(update, [id.0.into(), region.into(), tags.into()]).await?;
            let clear = "DELETE FROM assignment_satellites WHERE assignment_id = $1";
            database.execute(clear, [id.0.into()]).await?;
            name_satellites(database, *id, target).await?;
        }
        Ok(Saved::Done)
    }
}

#[async_trait]
impl Write for RemoveAssignment {
    type Output = bool;
    const DOING: &'static str = "remove an assignment";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let delete = "DELETE FROM assignments WHERE id = $1";
        database.execute(delete, [self.0.0.into()]).await.map(|rows| rows == 1)
    }
}

/// What an assignment to these would refer to in vain.
async fn dangling(
    database: &Database,
    check: Option<CheckId>,
    system: Option<SystemId>,
    target: Option<&Target>,
) -> Result<Option<Dangling>, Failure> {
    if let Some(check) = check
        && !exists(database, "checks", check.0).await?
    {
        return Ok(Some(Dangling::Check));
    }
    if let Some(system) = system
        && !exists(database, "systems", system.0).await?
    {
        return Ok(Some(Dangling::System));
    }
    let Some(Target::Satellites(ids)) = target else { return Ok(None) };
    let wanted: Vec<_> = ids.iter().map(|id| id.0).collect();
    let there = edges::existing(database, &wanted).await?;
    let missing = ids.iter().find(|id| !there.contains(&id.0));
    Ok(missing.map(|id| Dangling::Satellite(*id)))
}

/// Region and tags as they are stored; without tags, satellites are named.
fn selector(target: &Target) -> (Option<String>, Option<String>) {
    match target {
        Target::Satellites(_) => (None, None),
        Target::Selected(selector) => {
            let region = selector.region.as_ref().map(ToString::to_string);
            (region, Some(selector.tags.to_string()))
        }
    }
}

const COLUMNS: &[(&str, Type); 2] = &[("satellite", Type::Id), ("assignment", Type::Id)];

async fn name_satellites(
    database: &Database,
    id: AssignmentId,
    target: &Target,
) -> Result<(), Failure> {
    let nobody = BTreeSet::<SatelliteId>::new();
    let ids = match target {
        Target::Satellites(ids) => ids,
        Target::Selected(_) => &nobody,
    };
    if ids.is_empty() {
        return Ok(());
    }
    let rows: Vec<[Cell<'_>; 2]> =
        ids.iter().map(|satellite| [satellite.0.into(), id.0.into()]).collect();
    let rows = table::parameters(database.dialect, COLUMNS, rows)?;
    let insert = format!(
        "INSERT INTO assignment_satellites (satellite_id, assignment_id) \
         SELECT w.satellite, w.assignment FROM {} AS w",
        database.dialect.rows(COLUMNS)
    );
    database.execute(insert, rows).await.map(drop)
}
