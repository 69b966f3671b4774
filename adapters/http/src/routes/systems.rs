//! Systems: make, list, see, change, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::assignment::{System as CoreSystem, SystemId};
use groundcontrol_core::ports::{FleetService, Scope, SystemRequest, SystemUpdate};
use groundcontrol_core::satellite::Name;
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{AppState, Id, Identified};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{CreateSystem, Manager, Page, Problem, System, UpdateSystem};
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    OpenApiRouter::new()
        .routes(manage(routes!(create)))
        .routes(manage(routes!(list)))
        .routes(manage(routes!(show)))
        .routes(manage(routes!(update)))
        .routes(manage(routes!(remove)))
}

impl Identified for SystemId {
    const WHAT: &'static str = "system";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

/// Make a system
#[utoipa::path(
    post,
    path = "/api/v1/systems",
    operation_id = "createSystem",
    tag = "work",
    request_body = CreateSystem,
    responses(
        (status = 201, description = "It exists now.", body = System,
            headers(("Location" = String, description = "The system's path"))),
        (status = 409, description = "Another system has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<System>), Refusal> {
    let request = fields.read(|fields| {
        let name = fields.required_text("name");
        let metadata = fields.object("metadata").unwrap_or_default();
        let managed_by = fields.optional("managedBy").map(|Manager(manager)| manager);
        Some(SystemRequest { name: name?, metadata, managed_by })
    })?;
    let made = state.work.create_system(request).await?;
    let path = format!("/api/v1/systems/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json((&made).into())))
}

/// List systems
///
/// Ordered by name.
#[utoipa::path(
    get,
    path = "/api/v1/systems",
    operation_id = "listSystems",
    tag = "work",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<System>)),
)]
async fn list(State(state): State<AppState>, query: Query) -> Result<Json<Page<System>>, Refusal> {
    let list = List::new("systems", &());
    let (after, limit) = query.read(|query| {
        let limit = query.limit();
        Some((list.after(query, |name| name.parse::<Name>().ok())?, limit?))
    })?;
    let found = state.work.systems(after, limit + 1).await?;
    Ok(Json(list.page(found, limit, |system: &CoreSystem| system.name.to_string())))
}

/// See a system
#[utoipa::path(
    get,
    path = "/api/v1/systems/{id}",
    operation_id = "getSystem",
    tag = "work",
    params(("id" = Uuid, Path, description = "The system's id")),
    responses((status = 200, description = "The system.", body = System)),
)]
async fn show(
    State(state): State<AppState>,
    Id(id): Id<SystemId>,
) -> Result<Json<System>, Refusal> {
    Ok(Json((&state.work.system(id).await?).into()))
}

/// Change a system
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/api/v1/systems/{id}",
    operation_id = "updateSystem",
    tag = "work",
    params(("id" = Uuid, Path, description = "The system's id")),
    request_body = UpdateSystem,
    responses(
        (status = 200, description = "The system as it is now.", body = System),
        (status = 409, description = "Another system has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Id(id): Id<SystemId>,
    fields: Fields,
) -> Result<Json<System>, Refusal> {
    let update = fields.read(|fields| {
        let name = fields.optional_text("name");
        Some(SystemUpdate { name, metadata: fields.object("metadata") })
    })?;
    Ok(Json((&state.work.update_system(id, update).await?).into()))
}

/// Remove a system
///
/// Its assignments go with it.
#[utoipa::path(
    delete,
    path = "/api/v1/systems/{id}",
    operation_id = "removeSystem",
    tag = "work",
    params(("id" = Uuid, Path, description = "The system's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(
    State(state): State<AppState>,
    Id(id): Id<SystemId>,
) -> Result<StatusCode, Refusal> {
    state.work.remove_system(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
