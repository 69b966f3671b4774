//! Connections: who is online, in which state, and what happened before.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::connection::Transition as CoreTransition;
use groundcontrol_core::ports::{FleetService, Scope};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{AppState, Id};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{
    BatchGet, ConnectionState, ConnectionStates, Explanation, OnlineIds, Page, Problem, Transition,
};
use crate::problem::{Kind, Refusal};
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let read = |routes| guarded(service, Scope::SatelliteRead, routes);
    OpenApiRouter::new()
        .routes(read(routes!(online_ids)))
        .routes(read(routes!(connection)))
        .routes(read(routes!(batch_get)))
        .routes(read(routes!(transitions)))
        .routes(read(routes!(explain)))
}

/// List who is online
#[utoipa::path(
    get,
    path = "/api/v1/satellites/online-ids",
    operation_id = "listOnlineIds",
    tag = "connections",
    responses((status = 200, description = "Their ids.", body = OnlineIds)),
)]
async fn online_ids(State(state): State<AppState>) -> Result<Json<OnlineIds>, Refusal> {
    let ids = state.service.online_ids().await?;
    Ok(Json(OnlineIds { satellite_ids: ids.into_iter().map(|id| id.0).collect() }))
}

/// See a satellite's connection
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}/connection",
    operation_id = "getConnection",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses(
        (status = 200, description = "Its state.", body = ConnectionState),
        (status = 404, description = "There is no such satellite, or (`type` ending in \
            `never-connected`) it never connected.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn connection(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
) -> Result<Json<ConnectionState>, Refusal> {
    match state.service.connection(id).await? {
        Some(connection) => Ok(Json((&connection).into())),
        None => {
            let detail = "it has a state once its agent has connected for the first time";
            Err(Refusal::new(Kind::NeverConnected, detail))
        }
    }
}

/// See many connections at once
///
/// Satellites that are unknown or never connected are left out.
#[utoipa::path(
    post,
    path = "/api/v1/connections/batch-get",
    operation_id = "batchGetConnections",
    tag = "connections",
    request_body = BatchGet,
    responses((status = 200, description = "Their states, by id.", body = ConnectionStates)),
)]
async fn batch_get(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<Json<ConnectionStates>, Refusal> {
    let id = |text: &str| text.parse::<SatelliteId>().map_err(|_| "must be a UUID");
    let ids = fields.read(|fields| fields.each("ids", id))?;
    let found = state.service.connections(ids.into_iter().collect()).await?;
    let states: BTreeMap<Uuid, ConnectionState> =
        found.iter().map(|(id, state)| (id.0, state.into())).collect();
    Ok(Json(ConnectionStates { states }))
}

/// See a satellite's history
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}/transitions",
    operation_id = "listTransitions",
    tag = "connections",
    params(
        ("id" = Uuid, Path, description = "The satellite's id"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of it.", body = Page<Transition>)),
)]
async fn transitions(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
    query: Query,
) -> Result<Json<Page<Transition>>, Refusal> {
    let list = List::new("transitions", &id.0);
    let (before, limit) = query.read(|query| {
        let before = list.after(query, |seq| seq.parse().ok().map(Seq));
        let limit = query.limit();
        Some((before?, limit?))
    })?;
    let found = state.service.transitions(id, before, limit + 1).await?;
    let key = |transition: &CoreTransition| transition.seq.to_string();
    Ok(Json(list.page(found, limit, key)))
}

/// Explain a satellite
///
/// Why it is online or offline, as data and in sentences: what is recorded, which rule applies, what
/// would change it, and what to look at.
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}/explain",
    operation_id = "explainSatellite",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses((status = 200, description = "The explanation.", body = Explanation)),
)]
async fn explain(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
) -> Result<Json<Explanation>, Refusal> {
    Ok(Json((&state.service.explain(id).await?).into()))
}
