//! Results: what satellites reported.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::assignment::{CheckId, SystemId};
use groundcontrol_core::ports::{FleetService, LatestQuery, RunQuery, Scope};
use groundcontrol_core::run::{RunKey, StoredRun};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AppState, Id};
use crate::access::guarded;
use crate::cursor::List;
use crate::dto::{Page, Run, StrategyError};
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let read = |routes| guarded(service, Scope::SatelliteRead, routes);
    OpenApiRouter::new()
        .routes(read(routes!(list)))
        .routes(read(routes!(latest)))
        .routes(read(routes!(strategy_errors)))
}

/// List results
///
/// Newest first, by when they were executed. Filters narrow together.
#[utoipa::path(
    get,
    path = "/api/v1/results",
    operation_id = "listResults",
    tag = "work",
    params(
        ("systemId" = Option<Uuid>, Query, description = "Only those of this system."),
        ("configId" = Option<Uuid>, Query, description = "Only those of this check."),
        ("satelliteId" = Option<Uuid>, Query, description = "Only those of this satellite."),
        ("since" = Option<String>, Query, description = "Only those executed at this time or later."),
        ("until" = Option<String>, Query, description = "Only those executed before this time."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Run>)),
)]
async fn list(State(state): State<AppState>, query: Query) -> Result<Json<Page<Run>>, Refusal> {
    let (list, limit, wanted) = query.read(run_query)?;
    let found = state.work.runs(wanted).await?;
    let key =
        |stored: &StoredRun| format!("{}:{}", stored.run.executed_at.as_millis(), stored.number);
    Ok(Json(list.page(found, limit, key)))
}

fn run_query(query: &mut Query) -> Option<(List, usize, RunQuery)> {
    let check = query.parsed("configId", |text| text.parse::<CheckId>());
    let system = query.parsed("systemId", |text| text.parse::<SystemId>());
    let satellite = query.parsed("satelliteId", |text| text.parse::<SatelliteId>());
    let (times, limit) = (query.times(), query.limit());
    let (check, system, satellite) = (check?, system?, satellite?);
    let [since, until] = times?;
    let times = [since, until].map(|at| at.map(Timestamp::as_millis));
    let ids = (check.map(|id| id.0), system.map(|id| id.0), satellite.map(|id| id.0));
    let list = List::new("results", &(ids, times));
    let after = list.after(query, |key| {
        let (at, number) = key.split_once(':')?;
        Some((Timestamp::from_millis(at.parse().ok()?), number.parse().ok()?))
    })?;
    let limit = limit?;
    let wanted = RunQuery { check, system, satellite, since, until, after, limit: limit + 1 };
    Some((list, limit, wanted))
}

/// List the latest results
///
/// Of each check, system, satellite and environment the one that was executed last, in the order of
/// their ids. Those of `ground-control` say that no assigned satellite was online, and since when no
/// later result is beside them. Filters narrow together.
#[utoipa::path(
    get,
    path = "/api/v1/results/latest",
    operation_id = "listLatestResults",
    tag = "work",
    params(
        ("systemId" = Option<Uuid>, Query, description = "Only those of this system."),
        ("configId" = Option<Uuid>, Query, description = "Only those of this check."),
        ("satelliteId" = Option<Uuid>, Query, description = "Only those of this satellite."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Run>)),
)]
async fn latest(State(state): State<AppState>, query: Query) -> Result<Json<Page<Run>>, Refusal> {
    let (list, limit, wanted) = query.read(latest_query)?;
    let found = state.work.latest_runs(wanted).await?;
    Ok(Json(list.page(found, limit, |stored: &StoredRun| cursor(&stored.key()))))
}

fn latest_query(query: &mut Query) -> Option<(List, usize, LatestQuery)> {
    let check = query.parsed("configId", |text| text.parse::<CheckId>());
    let system = query.parsed("systemId", |text| text.parse::<SystemId>());
    let satellite = query.parsed("satelliteId", |text| text.parse::<SatelliteId>());
    let limit = query.limit();
    let (check, system, satellite) = (check?, system?, satellite?);
    let ids = (check.map(|id| id.0), system.map(|id| id.0), satellite.map(|id| id.0));
    let list = List::new("latest results", &ids);
    let after = list.after(query, reached)?;
    let limit = limit?;
    Some((list, limit, LatestQuery { check, system, satellite, after, limit: limit + 1 }))
}

/// A key as text; the environment, which may be any text, comes last.
fn cursor(key: &RunKey) -> String {
    let satellite = key.satellite.map(|id| id.to_string()).unwrap_or_default();
    format!("{}:{}:{satellite}:{}", key.check, key.system, key.environment)
}

fn reached(text: &str) -> Option<RunKey> {
    let mut parts = text.splitn(4, ':');
    let (check, system) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let satellite = match parts.next()? {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    Some(RunKey { check, system, satellite, environment: parts.next()?.to_owned() })
}

/// What an agent lacks
///
/// The strategies that it said it lacks, or cannot load, with what it said last.
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}/strategy-errors",
    operation_id = "listStrategyErrors",
    tag = "work",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses((status = 200, description = "All of them.", body = Page<StrategyError>)),
)]
async fn strategy_errors(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
) -> Result<Json<Page<StrategyError>>, Refusal> {
    let found = state.work.strategy_errors(id).await?;
    let items = found.iter().map(Into::into).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
