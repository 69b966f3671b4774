//! Webhooks: make, list, see, change, remove, try, and what became of deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::assignment::TagExpression;
use groundcontrol_core::automation::{
    DeliveryState, EventFilter, Webhook as CoreWebhook, WebhookHeaders, WebhookId,
};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::limits::MAX_WEBHOOK_SECRET_OVERLAP;
use groundcontrol_core::ports::{
    Delivery as CoreDelivery, DeliveryQuery, FleetService, Redelivery, Scope, WebhookPatch,
    WebhookRequest,
};
use groundcontrol_core::satellite::{Name, Region, SatelliteId, Seq};
use groundcontrol_core::time::Millis;
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{AppState, Id, Identified};
use crate::access::guarded;
use crate::body::{Fields, OptionalFields};
use crate::cursor::List;
use crate::dto::{
    ContentMode, CreateWebhook, CreatedWebhook, Delivery, Instant, Page, Problem, Redeliver,
    Redelivered, RotateSecret, UpdateWebhook, Webhook, WebhookTest,
};
use crate::dto::{EventFilter as FilterBody, not_one_of};
use crate::openapi;
use crate::problem::Refusal;
use crate::query::Query;

const ONE_OF: &str = "exactly one of eventId and since must be given";

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    let mut rotate = routes!(rotate_secret);
    openapi::describe_optional_body(&mut rotate.1);
    OpenApiRouter::new()
        .routes(manage(routes!(create)))
        .routes(manage(routes!(list)))
        .routes(manage(routes!(show)))
        .routes(manage(routes!(update)))
        .routes(manage(routes!(remove)))
        .routes(manage(rotate))
        .routes(manage(routes!(test)))
        .routes(manage(routes!(deliveries)))
        .routes(manage(routes!(redeliver)))
}

impl Identified for WebhookId {
    const WHAT: &'static str = "webhook";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

/// Make a webhook
///
/// It is told of what happens from now on: at least once, in the order of `seq` for each satellite.
/// Each request is a CloudEvent, signed as Standard Webhooks says.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks",
    operation_id = "createWebhook",
    tag = "automations",
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "It exists now.", body = CreatedWebhook,
            headers(("Location" = String, description = "The webhook's path"))),
        (status = 409, description = "Another webhook has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<CreatedWebhook>), Refusal> {
    let request = fields.read(|fields| {
        let name = fields.required_text("name");
        let url = fields.required_text("url");
        let filter = filter(fields);
        let headers = headers(fields);
        let mode: Option<ContentMode> = fields.optional("mode");
        let active = fields.optional("active").unwrap_or(true);
        Some(WebhookRequest {
            name: name?,
            url: url?,
            filter: filter.unwrap_or_default(),
            headers: headers.unwrap_or_default(),
            mode: mode.map(|mode| mode.0).unwrap_or_default(),
            alerts_only: fields.optional("alertsOnly").unwrap_or(false),
            active,
        })
    })?;
    let (made, secret) = state.webhooks.create_webhook(request).await?;
    let path = format!("/api/v1/webhooks/{}", made.id);
    let body = CreatedWebhook { webhook: (&made).into(), secret: (&secret).into() };
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json(body)))
}

/// A filter, where it is there; what is at fault is named by its place.
pub(super) fn filter(fields: &mut Fields) -> Option<EventFilter> {
    let FilterBody { events, satellite_ids, region, tags, causes } = fields.optional("filter")?;
    let region = region.map(|text| text.parse::<Region>());
    let region = region.map(|region| fields.check_at("/filter/region", region));
    let tags = tags.unwrap_or_default().parse::<TagExpression>();
    let tags = fields.check_at("/filter/tags", tags);
    let region = match region {
        Some(None) => return None,
        Some(region) => region,
        None => None,
    };
    Some(EventFilter {
        events: events.into_iter().map(|event| event.0).collect(),
        satellites: satellite_ids.into_iter().map(SatelliteId).collect(),
        region,
        tags: tags?,
        causes: causes.into_iter().map(|cause| cause.0).collect(),
    })
}

fn headers(fields: &mut Fields) -> Option<WebhookHeaders> {
    let given: BTreeMap<String, String> = fields.optional("headers")?;
    match WebhookHeaders::new(given) {
        Ok(headers) => Some(headers),
        Err((name, why)) => {
            let name = name.map(|name| name.replace('~', "~0").replace('/', "~1"));
            let pointer = name.map_or_else(String::new, |name| format!("/{name}"));
            fields.fail_at(format!("/headers{pointer}"), why);
            None
        }
    }
}

/// List webhooks
///
/// Ordered by name.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    operation_id = "listWebhooks",
    tag = "automations",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Webhook>)),
)]
async fn list(State(state): State<AppState>, query: Query) -> Result<Json<Page<Webhook>>, Refusal> {
    let list = List::new("webhooks", &());
    let (after, limit) = query.read(|query| {
        let limit = query.limit();
        Some((list.after(query, |name| name.parse::<Name>().ok())?, limit?))
    })?;
    let found = state.webhooks.webhooks(after, limit + 1).await?;
    Ok(Json(list.page(found, limit, |webhook: &CoreWebhook| webhook.name.to_string())))
}

/// See a webhook
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}",
    operation_id = "getWebhook",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook.", body = Webhook)),
)]
async fn show(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
) -> Result<Json<Webhook>, Refusal> {
    Ok(Json((&state.webhooks.webhook(id).await?).into()))
}

/// Change a webhook
///
/// What is absent stays. A webhook that is made active goes on where it was when it was paused.
#[utoipa::path(
    patch,
    path = "/api/v1/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    request_body = UpdateWebhook,
    responses(
        (status = 200, description = "The webhook as it is now.", body = Webhook),
        (status = 409, description = "Another webhook has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
    fields: Fields,
) -> Result<Json<Webhook>, Refusal> {
    let patch = fields.read(|fields| {
        let mode: Option<ContentMode> = fields.optional("mode");
        Some(WebhookPatch {
            name: fields.optional_text("name"),
            url: fields.optional_text("url"),
            filter: filter(fields),
            headers: headers(fields),
            mode: mode.map(|mode| mode.0),
            alerts_only: fields.optional("alertsOnly"),
            active: fields.optional("active"),
        })
    })?;
    Ok(Json((&state.webhooks.update_webhook(id, patch).await?).into()))
}

/// Remove a webhook
///
/// Its deliveries go with it.
#[utoipa::path(
    delete,
    path = "/api/v1/webhooks/{id}",
    operation_id = "removeWebhook",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode, Refusal> {
    state.webhooks.remove_webhook(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate a signing secret
///
/// For `overlapSeconds` requests carry a signature of the old secrets as well.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/rotate-secret",
    operation_id = "rotateWebhookSecret",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    request_body = RotateSecret,
    responses((status = 200, description = "The new secret.", body = CreatedWebhook)),
)]
async fn rotate_secret(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
    OptionalFields(fields): OptionalFields,
) -> Result<Json<CreatedWebhook>, Refusal> {
    let overlap = fields.read(|fields| {
        let seconds: u64 = fields.optional("overlapSeconds").unwrap_or(0);
        let overlap = Millis::from_secs(seconds);
        let within = match overlap <= MAX_WEBHOOK_SECRET_OVERLAP {
            true => Ok(overlap),
            false => Err("must be at most 604800, which is 7 days"),
        };
        fields.check("overlapSeconds", within)
    })?;
    let (webhook, secret) = state.webhooks.rotate_secret(id, overlap).await?;
    Ok(Json(CreatedWebhook { webhook: (&webhook).into(), secret: (&secret).into() }))
}

/// Try a webhook
///
/// Sends a sample, whose id begins with `test:`, and answers what came of it.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    responses((status = 200, description = "What came of it.", body = WebhookTest)),
)]
async fn test(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
) -> Result<Json<WebhookTest>, Refusal> {
    Ok(Json((&state.webhooks.test_webhook(id).await?).into()))
}

/// List deliveries
///
/// Newest first. Those that were delivered are kept for 7 days, those that were given up for 30.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/deliveries",
    operation_id = "listDeliveries",
    tag = "automations",
    params(
        ("id" = Uuid, Path, description = "The webhook's id"),
        ("state" = Option<String>, Query, description = "Only `waiting`, `delivered` or `dead` ones."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Delivery>)),
)]
async fn deliveries(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
    query: Query,
) -> Result<Json<Page<Delivery>>, Refusal> {
    let (list, limit, wanted) = query.read(|query| {
        let limit = query.limit();
        let standing = query.parsed("state", |text| {
            let names: Vec<_> = DeliveryState::ALL.iter().map(|state| state.name()).collect();
            DeliveryState::from_name(text).ok_or_else(|| not_one_of(text, &names))
        })?;
        let list = List::new("deliveries", &(id.0, standing.map(DeliveryState::name)));
        let after = list.after(query, |number| number.parse::<u64>().ok())?;
        let limit = limit?;
        let wanted = DeliveryQuery { webhook: id, state: standing, after, limit: limit + 1 };
        Some((list, limit, wanted))
    })?;
    let found = state.webhooks.deliveries(wanted).await?;
    Ok(Json(list.page(found, limit, |delivery: &CoreDelivery| delivery.number.to_string())))
}

/// Deliver again
///
/// One event by its id, or all that became deliveries since a time; those that were delivered
/// already as well. Receivers know a repetition by its `webhook-id`.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/redeliver",
    operation_id = "redeliver",
    tag = "automations",
    params(("id" = Uuid, Path, description = "The webhook's id")),
    request_body = Redeliver,
    responses((status = 200, description = "How many deliveries that are.", body = Redelivered)),
)]
async fn redeliver(
    State(state): State<AppState>,
    Id(id): Id<WebhookId>,
    fields: Fields,
) -> Result<Json<Redelivered>, Refusal> {
    let which = fields.read(|fields| {
        let event: Option<String> = fields.optional("eventId");
        let since: Option<Instant> = fields.optional("since");
        match (event, since) {
            (Some(event), None) => fields.check("eventId", one_event(&event)),
            (None, Some(since)) => Some(Redelivery::Since(since.0)),
            (Some(_), Some(_)) | (None, None) => {
                fields.fail_at(String::new(), ONE_OF);
                None
            }
        }
    })?;
    Ok(Json(Redelivered { deliveries: state.webhooks.redeliver(id, which).await? }))
}

fn one_event(text: &str) -> Result<Redelivery, &'static str> {
    const NO_ID: &str = "must be the id of an event, <satelliteId>:<seq>";
    let (context, seq) = text.split_once(':').ok_or(NO_ID)?;
    let context = Uuid::try_parse(context).map_err(|_| NO_ID)?;
    let seq = seq.parse::<u64>().map_err(|_| NO_ID)?;
    Ok(Redelivery::One(ContextId(context), Seq(seq)))
}
