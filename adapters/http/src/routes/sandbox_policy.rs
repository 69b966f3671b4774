//! The sandbox policy: see, set.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::ports::{FleetService, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::guarded;
use crate::body::Whole;
use crate::dto::{Opaque, SandboxPolicy};
use crate::problem::Refusal;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    OpenApiRouter::new().routes(manage(routes!(show))).routes(manage(routes!(set)))
}

/// See the sandbox policy
///
/// What operators allow scripts to do.
#[utoipa::path(
    get,
    path = "/api/v1/sandbox-policy",
    operation_id = "getSandboxPolicy",
    tag = "work",
    responses(
        (status = 200, description = "The policy.", body = SandboxPolicy),
        (status = 404, description = "None is set.", body = crate::dto::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn show(State(state): State<AppState>) -> Result<Json<Opaque>, Refusal> {
    match state.work.sandbox_policy().await? {
        Some(policy) => Ok(Json((&policy).into())),
        None => Err(Refusal::not_found("sandbox policy")),
    }
}

/// Set the sandbox policy
///
/// One object, relayed to all satellites as it is.
#[utoipa::path(
    put,
    path = "/api/v1/sandbox-policy",
    operation_id = "setSandboxPolicy",
    tag = "work",
    request_body = SandboxPolicy,
    responses((status = 200, description = "The policy as it is now.", body = SandboxPolicy)),
)]
async fn set(State(state): State<AppState>, Whole(policy): Whole) -> Result<Json<Opaque>, Refusal> {
    state.work.set_sandbox_policy((&policy).into()).await?;
    Ok(Json(policy))
}
