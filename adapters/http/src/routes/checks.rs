//! Checks: make, list, see, change, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::assignment::{Check as CoreCheck, CheckId, Collectors, Interval};
use groundcontrol_core::ports::{CheckRequest, CheckUpdate, FleetService, Scope};
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
use crate::dto::{Check, Collector, CreateCheck, Manager, Page, Problem, UpdateCheck};
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

impl Identified for CheckId {
    const WHAT: &'static str = "check";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

/// Make a check
#[utoipa::path(
    post,
    path = "/api/v1/checks",
    operation_id = "createCheck",
    tag = "work",
    request_body = CreateCheck,
    responses(
        (status = 201, description = "It exists now.", body = Check,
            headers(("Location" = String, description = "The check's path"))),
        (status = 409, description = "Another check has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Check>), Refusal> {
    let request = fields.read(|fields| {
        let name = fields.required_text("name");
        let strategy = fields.required_text("strategyId");
        let config = fields.object("config").unwrap_or_default();
        let collectors = collectors(fields).unwrap_or_default();
        let seconds = fields.required("intervalSeconds");
        let interval = seconds.and_then(|seconds| interval(fields, seconds));
        let managed_by = fields.optional("managedBy").map(|Manager(manager)| manager);
        Some(CheckRequest {
            name: name?,
            strategy: strategy?,
            config,
            collectors,
            interval: interval?,
            managed_by,
        })
    })?;
    let made = state.work.create_check(request).await?;
    let path = format!("/api/v1/checks/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json((&made).into())))
}

/// Collectors, where they are there; what is at fault is named by its place.
fn collectors(fields: &mut Fields) -> Option<Collectors> {
    let list: Vec<Collector> = fields.verbatim("collectors")?;
    for (at, collector) in list.iter().enumerate() {
        if !collector.config.is_object() {
            fields.fail_at(format!("/collectors/{at}/config"), "must be an object");
        }
    }
    match Collectors::new(list.iter().map(Into::into).collect()) {
        Ok(collectors) => Some(collectors),
        Err(fault) => {
            fields.fail_at(format!("/collectors{}", fault.pointer), fault.detail);
            None
        }
    }
}

fn interval(fields: &mut Fields, seconds: u64) -> Option<Interval> {
    fields.check("intervalSeconds", Interval::new(seconds))
}

/// List checks
///
/// Ordered by name.
#[utoipa::path(
    get,
    path = "/api/v1/checks",
    operation_id = "listChecks",
    tag = "work",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Check>)),
)]
async fn list(State(state): State<AppState>, query: Query) -> Result<Json<Page<Check>>, Refusal> {
    let list = List::new("checks", &());
    let (after, limit) = query.read(|query| {
        let limit = query.limit();
        Some((list.after(query, |name| name.parse::<Name>().ok())?, limit?))
    })?;
    let found = state.work.checks(after, limit + 1).await?;
    Ok(Json(list.page(found, limit, |check: &CoreCheck| check.name.to_string())))
}

/// See a check
#[utoipa::path(
    get,
    path = "/api/v1/checks/{id}",
    operation_id = "getCheck",
    tag = "work",
    params(("id" = Uuid, Path, description = "The check's id")),
    responses((status = 200, description = "The check.", body = Check)),
)]
async fn show(State(state): State<AppState>, Id(id): Id<CheckId>) -> Result<Json<Check>, Refusal> {
    Ok(Json((&state.work.check(id).await?).into()))
}

/// Change a check
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/api/v1/checks/{id}",
    operation_id = "updateCheck",
    tag = "work",
    params(("id" = Uuid, Path, description = "The check's id")),
    request_body = UpdateCheck,
    responses(
        (status = 200, description = "The check as it is now.", body = Check),
        (status = 409, description = "Another check has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Id(id): Id<CheckId>,
    fields: Fields,
) -> Result<Json<Check>, Refusal> {
    let update = fields.read(|fields| {
        let seconds = fields.optional("intervalSeconds");
        Some(CheckUpdate {
            name: fields.optional_text("name"),
            strategy: fields.optional_text("strategyId"),
            config: fields.object("config"),
            collectors: collectors(fields),
            interval: seconds.and_then(|seconds| interval(fields, seconds)),
        })
    })?;
    Ok(Json((&state.work.update_check(id, update).await?).into()))
}

/// Remove a check
///
/// Its assignments go with it.
#[utoipa::path(
    delete,
    path = "/api/v1/checks/{id}",
    operation_id = "removeCheck",
    tag = "work",
    params(("id" = Uuid, Path, description = "The check's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(State(state): State<AppState>, Id(id): Id<CheckId>) -> Result<StatusCode, Refusal> {
    state.work.remove_check(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
