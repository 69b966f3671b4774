//! Triggers: what automations can start from.

use std::sync::Arc;

use axum::Json;
use groundcontrol_core::automation::TRIGGERS;
use groundcontrol_core::ports::{FleetService, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::guarded;
use crate::dto::{Page, Trigger};
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guarded(service, Scope::SatelliteRead, routes!(list)))
}

/// List triggers
///
/// Every event that an automation can start from, with the JSON Schema of what it carries. The
/// order does not change; new ones follow.
#[utoipa::path(
    get,
    path = "/api/v1/triggers",
    operation_id = "listTriggers",
    tag = "automations",
    responses((status = 200, description = "All of them.", body = Page<Trigger>)),
)]
async fn list(query: Query) -> Result<Json<Page<Trigger>>, Refusal> {
    query.read(|_| Some(()))?;
    Ok(Json(Page { items: TRIGGERS.iter().map(Trigger::from).collect(), next_cursor: None }))
}
