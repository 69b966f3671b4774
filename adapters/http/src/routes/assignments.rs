//! Assignments: make, list, see, change, remove.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::assignment::{
    Assignment as CoreAssignment, AssignmentId, CheckId, Selector as CoreSelector, SystemId,
    TagExpression, Target,
};
use groundcontrol_core::limits::MAX_ASSIGNED_SATELLITES;
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentRequest, AssignmentUpdate, FleetService, Scope,
};
use groundcontrol_core::satellite::{Region, SatelliteId};
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{AppState, Id, Identified};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{Assignment, CreateAssignment, Manager, Page, Selector, UpdateAssignment};
use crate::problem::Refusal;
use crate::query::Query;

const ONE_OF: &str = "exactly one of satelliteIds and selector must be given";

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    OpenApiRouter::new()
        .routes(manage(routes!(create)))
        .routes(manage(routes!(list)))
        .routes(manage(routes!(show)))
        .routes(manage(routes!(update)))
        .routes(manage(routes!(remove)))
}

impl Identified for AssignmentId {
    const WHAT: &'static str = "assignment";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

/// Make an assignment
#[utoipa::path(
    post,
    path = "/api/v1/assignments",
    operation_id = "createAssignment",
    tag = "work",
    request_body = CreateAssignment,
    responses(
        (status = 201, description = "It exists now.", body = Assignment,
            headers(("Location" = String, description = "The assignment's path"))),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Assignment>), Refusal> {
    let request = fields.read(|fields| {
        let check = id_of(fields, "checkId", true).map(CheckId);
        let system = id_of(fields, "systemId", true).map(SystemId);
        let named = fields.has("satelliteIds") || fields.has("selector");
        if !named {
            fields.fail_at(String::new(), ONE_OF);
        }
        let target = target(fields);
        let managed_by = fields.optional("managedBy").map(|Manager(manager)| manager);
        Some(AssignmentRequest { check: check?, system: system?, target: target?, managed_by })
    })?;
    let made = state.work.create_assignment(request).await?;
    let path = format!("/api/v1/assignments/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json((&made).into())))
}

/// List assignments
///
/// In the order of their ids. Filters narrow together.
#[utoipa::path(
    get,
    path = "/api/v1/assignments",
    operation_id = "listAssignments",
    tag = "work",
    params(
        ("checkId" = Option<Uuid>, Query, description = "Only those of this check."),
        ("systemId" = Option<Uuid>, Query, description = "Only those of this system."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Assignment>)),
)]
async fn list(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<Assignment>>, Refusal> {
    let (list, limit, wanted) = query.read(list_query)?;
    let found = state.work.assignments(wanted).await?;
    Ok(Json(list.page(found, limit, |assignment: &CoreAssignment| assignment.id.to_string())))
}

fn list_query(query: &mut Query) -> Option<(List, usize, AssignmentQuery)> {
    let check = query.parsed("checkId", |text| text.parse::<CheckId>());
    let system = query.parsed("systemId", |text| text.parse::<SystemId>());
    let limit = query.limit();
    let (check, system) = (check?, system?);
    let list = List::new("assignments", &(check.map(|id| id.0), system.map(|id| id.0)));
    let after = list.after(query, |id| id.parse::<AssignmentId>().ok())?;
    let limit = limit?;
    Some((list, limit, AssignmentQuery { check, system, after, limit: limit + 1 }))
}

/// The satellites, where they are there, by name or by selector.
fn target(fields: &mut Fields) -> Option<Target> {
    match (fields.has("satelliteIds"), fields.has("selector")) {
        (true, true) => {
            fields.fail_at("/selector".to_owned(), ONE_OF);
            let _ = (ids(fields), selector(fields));
            None
        }
        (true, false) => ids(fields).map(Target::Satellites),
        (false, true) => selector(fields).map(Target::Selected),
        (false, false) => None,
    }
}

fn ids(fields: &mut Fields) -> Option<BTreeSet<SatelliteId>> {
    let ids = fields.each("satelliteIds", |text| {
        text.parse::<SatelliteId>().map_err(|_| format!("{text:?} is no satellite's id"))
    })?;
    let within = match ids.len() <= MAX_ASSIGNED_SATELLITES {
        true => Ok(ids),
        false => Err(format!("must have at most {MAX_ASSIGNED_SATELLITES} entries")),
    };
    fields.check("satelliteIds", within)
}

fn selector(fields: &mut Fields) -> Option<CoreSelector> {
    let Selector { region, tags } = fields.optional("selector")?;
    let region = region.map(|text| text.parse::<Region>());
    let region = region.map(|region| fields.check_at("/selector/region", region));
    let tags = tags.unwrap_or_default().parse::<TagExpression>();
    let tags = fields.check_at("/selector/tags", tags);
    let region = match region {
        Some(None) => return None,
        Some(region) => region,
        None => None,
    };
    Some(CoreSelector { region, tags: tags? })
}

fn id_of(fields: &mut Fields, name: &str, must: bool) -> Option<Uuid> {
    let text: String = if must { fields.required(name)? } else { fields.optional(name)? };
    let id = text.parse::<Uuid>().map_err(|_| format!("{text:?} is no id"));
    fields.check(name, id)
}

/// See an assignment
#[utoipa::path(
    get,
    path = "/api/v1/assignments/{id}",
    operation_id = "getAssignment",
    tag = "work",
    params(("id" = Uuid, Path, description = "The assignment's id")),
    responses((status = 200, description = "The assignment.", body = Assignment)),
)]
async fn show(
    State(state): State<AppState>,
    Id(id): Id<AssignmentId>,
) -> Result<Json<Assignment>, Refusal> {
    Ok(Json((&state.work.assignment(id).await?).into()))
}

/// Change an assignment
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/api/v1/assignments/{id}",
    operation_id = "updateAssignment",
    tag = "work",
    params(("id" = Uuid, Path, description = "The assignment's id")),
    request_body = UpdateAssignment,
    responses(
        (status = 200, description = "The assignment as it is now.", body = Assignment),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Id(id): Id<AssignmentId>,
    fields: Fields,
) -> Result<Json<Assignment>, Refusal> {
    let update = fields.read(|fields| {
        Some(AssignmentUpdate {
            check: id_of(fields, "checkId", false).map(CheckId),
            system: id_of(fields, "systemId", false).map(SystemId),
            target: target(fields),
        })
    })?;
    Ok(Json((&state.work.update_assignment(id, update).await?).into()))
}

/// Remove an assignment
///
/// The satellites that it concerns stop.
#[utoipa::path(
    delete,
    path = "/api/v1/assignments/{id}",
    operation_id = "removeAssignment",
    tag = "work",
    params(("id" = Uuid, Path, description = "The assignment's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(
    State(state): State<AppState>,
    Id(id): Id<AssignmentId>,
) -> Result<StatusCode, Refusal> {
    state.work.remove_assignment(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
