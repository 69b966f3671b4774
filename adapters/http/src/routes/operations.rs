//! For those who run the server: probes, figures, and the description of all this.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use groundcontrol_core::ports::Readiness;
use http::header::CONTENT_TYPE;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::open;
use crate::dto::{Probe, Problem};
use crate::problem::{Kind, Refusal};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(open(routes!(healthz)))
        .routes(open(routes!(readyz)))
        .routes(open(routes!(metrics)))
        .routes(open(routes!(openapi_json)))
}

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "isAlive",
    tag = "operations",
    responses((status = 200, description = "It is.", body = Probe)),
)]
async fn healthz() -> Json<Probe> {
    Json(Probe { status: "ok".to_owned() })
}

/// Can it serve?
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "isReady",
    tag = "operations",
    responses(
        (status = 200, description = "It can.", body = Probe),
        (status = 503, description = "It is stopping, or something that it needs is out of reach.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn readyz(State(state): State<AppState>) -> Result<Json<Probe>, Refusal> {
    match state.service.readiness().await {
        Readiness::Ready => Ok(Json(Probe { status: "ready".to_owned() })),
        Readiness::Draining => Err(Refusal::new(Kind::Draining, "ask another one")),
        Readiness::NotReady { reason } => Err(Refusal::new(Kind::NotReady, reason)),
    }
}

/// Figures for a monitoring system
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "operations",
    responses((status = 200, description = "In the Prometheus text format.", body = String,
        content_type = "text/plain")),
)]
async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.service.metrics())
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value,
        content_type = "application/json")),
)]
async fn openapi_json(State(state): State<AppState>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], state.document.get().cloned().unwrap_or_default())
}
