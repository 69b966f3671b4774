//! Rules: make, list, see, change, remove, and their alerts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::automation::{
    Alert as CoreAlert, AlertStanding, EventFilter, InvalidRule, Rule as CoreRule, RuleId,
    WebhookId,
};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::ports::{AlertQuery, FleetService, RuleRequest, RuleUpdate, Scope};
use groundcontrol_core::satellite::Name;
use groundcontrol_core::time::{Millis, Timestamp};
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::webhooks::filter;
use super::{AppState, Id, Identified};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{Alert, CreateRule, Page, Problem, Rule, UpdateRule, not_one_of};
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
        .routes(manage(routes!(alerts)))
}

impl Identified for RuleId {
    const WHAT: &'static str = "rule";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

/// Make a rule
///
/// When what it watches for lasts, its webhook is told `alert.firing`, and `alert.resolved` when it
/// is over: once each, whichever pods live or die meanwhile. It watches for what happens from now
/// on.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    operation_id = "createRule",
    tag = "automations",
    request_body = CreateRule,
    responses(
        (status = 201, description = "It exists now.", body = Rule,
            headers(("Location" = String, description = "The rule's path"))),
        (status = 409, description = "Another rule has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Rule>), Refusal> {
    let request = fields.read(|fields| {
        let name = fields.required_text("name");
        let webhook: Option<Uuid> = fields.required("webhookId");
        let filter = watched(fields);
        let times = times(fields);
        Some(RuleRequest {
            name: name?,
            webhook: WebhookId(webhook?),
            filter: filter.unwrap_or_default(),
            lasts: times.0.unwrap_or(Millis::ZERO),
            steady: times.1.unwrap_or(Millis::ZERO),
            region_instead: fields.optional("regionInstead").unwrap_or(false),
            active: fields.optional("active").unwrap_or(true),
        })
    })?;
    let made = state.rules.create_rule(request).await?;
    let path = format!("/api/v1/rules/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json((&made).into())))
}

/// What a rule watches for, where that is said.
fn watched(fields: &mut Fields) -> Option<EventFilter> {
    let filter = filter(fields)?;
    if let Err(why) = CoreRule::check_filter(&filter) {
        fields.fail_at("/filter/events".to_owned(), why);
        return None;
    }
    Some(filter)
}

/// How long it must last, and how long it must be over.
fn times(fields: &mut Fields) -> (Option<Millis>, Option<Millis>) {
    let mut time = |name: &str, check: fn(Millis) -> Result<(), InvalidRule>| {
        let seconds: u64 = fields.optional(name)?;
        let time = Millis::from_secs(seconds);
        fields.check(name, check(time).map(|()| time))
    };
    let lasts = time("lastsSeconds", |lasts| CoreRule::check_times(lasts, Millis::ZERO));
    let steady = time("steadySeconds", |steady| CoreRule::check_times(Millis::ZERO, steady));
    (lasts, steady)
}

/// List rules
///
/// Ordered by name.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    operation_id = "listRules",
    tag = "automations",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Rule>)),
)]
async fn list(State(state): State<AppState>, query: Query) -> Result<Json<Page<Rule>>, Refusal> {
    let list = List::new("rules", &());
    let (after, limit) = query.read(|query| {
        let limit = query.limit();
        Some((list.after(query, |name| name.parse::<Name>().ok())?, limit?))
    })?;
    let found = state.rules.rules(after, limit + 1).await?;
    Ok(Json(list.page(found, limit, |rule: &CoreRule| rule.name.to_string())))
}

/// See a rule
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}",
    operation_id = "getRule",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The rule's id")),
    responses((status = 200, description = "The rule.", body = Rule)),
)]
async fn show(State(state): State<AppState>, Id(id): Id<RuleId>) -> Result<Json<Rule>, Refusal> {
    Ok(Json((&state.rules.rule(id).await?).into()))
}

/// Change a rule
///
/// What is absent stays. A rule that is paused tells that what it told of is over.
#[utoipa::path(
    patch,
    path = "/api/v1/rules/{id}",
    operation_id = "updateRule",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The rule's id")),
    request_body = UpdateRule,
    responses(
        (status = 200, description = "The rule as it is now.", body = Rule),
        (status = 409, description = "Another rule has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Id(id): Id<RuleId>,
    fields: Fields,
) -> Result<Json<Rule>, Refusal> {
    let update = fields.read(|fields| {
        let webhook: Option<Uuid> = fields.optional("webhookId");
        let (lasts, steady) = times(fields);
        Some(RuleUpdate {
            name: fields.optional_text("name"),
            webhook: webhook.map(WebhookId),
            filter: watched(fields),
            lasts,
            steady,
            region_instead: fields.optional("regionInstead"),
            active: fields.optional("active"),
        })
    })?;
    Ok(Json((&state.rules.update_rule(id, update).await?).into()))
}

/// Remove a rule
///
/// What it told of is told to be over.
#[utoipa::path(
    delete,
    path = "/api/v1/rules/{id}",
    operation_id = "removeRule",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The rule's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(State(state): State<AppState>, Id(id): Id<RuleId>) -> Result<StatusCode, Refusal> {
    state.rules.remove_rule(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List alerts
///
/// What a rule sees that is not as it should be, that first which began first. What is over is not
/// kept: the deliveries of its webhook tell of it.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}/alerts",
    operation_id = "listAlerts",
    tag = "automations",
    params(
        ("id" = Uuid, Path, description = "The rule's id"),
        ("state" = Option<String>, Query,
            description = "Only `pending`, `held`, `firing` or `recovering` ones."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Alert>)),
)]
async fn alerts(
    State(state): State<AppState>,
    Id(id): Id<RuleId>,
    query: Query,
) -> Result<Json<Page<Alert>>, Refusal> {
    let (list, limit, wanted) = query.read(|query| {
        let limit = query.limit();
        let standing = query.parsed("state", |text| {
            let names: Vec<_> = AlertStanding::ALL.iter().map(|state| state.name()).collect();
            AlertStanding::from_name(text).ok_or_else(|| not_one_of(text, &names))
        })?;
        let list = List::new("alerts", &(id.0, standing.map(AlertStanding::name)));
        let after = list.after(query, place)?;
        let limit = limit?;
        let wanted = AlertQuery { rule: id, standing, after, limit: limit + 1 };
        Some((list, limit, wanted))
    })?;
    let found = state.rules.alerts(wanted).await?;
    let key =
        |alert: &CoreAlert| format!("{}.{}", alert.since.as_millis(), alert.subject.context());
    Ok(Json(list.page(found, limit, key)))
}

/// The place of an alert in its list, as a cursor carries it.
fn place(text: &str) -> Option<(Timestamp, ContextId)> {
    let (since, context) = text.split_once('.')?;
    let since = Timestamp::from_millis(since.parse().ok()?);
    Some((since, ContextId(Uuid::try_parse(context).ok()?)))
}
