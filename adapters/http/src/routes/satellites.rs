//! Satellites: make, list, see, change, remove, and give new tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use groundcontrol_core::connection::Status as CoreStatus;
use groundcontrol_core::limits::{MAX_NAME_CHARS, MAX_TAGS, MAX_TOKEN_OVERLAP};
use groundcontrol_core::ports::{
    FleetService, ListQuery, SatellitePatch, SatelliteRequest, SatelliteUpdate, SatelliteView,
    Scope,
};
use groundcontrol_core::satellite::{Name, Region, SatelliteId};
use groundcontrol_core::time::Millis;
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AppState, Id};
use crate::access::{Authorised, guarded};
use crate::body::{Fields, OptionalFields};
use crate::cursor::List;
use crate::dto::{
    CreateSatellite, CreatedSatellite, Manager, Page, Problem, RotateToken, Satellite, Status,
    UpdateSatellite, not_one_of,
};
use crate::openapi;
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let read = |routes| guarded(service, Scope::SatelliteRead, routes);
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    let mut rotation = routes!(rotate_token);
    openapi::describe_optional_body(&mut rotation.1);
    OpenApiRouter::new()
        .routes(manage(routes!(create)))
        .routes(read(routes!(list)))
        .routes(read(routes!(show)))
        .routes(manage(routes!(update)))
        .routes(manage(routes!(remove)))
        .routes(manage(rotation))
}

/// Make a satellite
///
/// Its token is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/satellites",
    operation_id = "createSatellite",
    tag = "satellites",
    request_body = CreateSatellite,
    responses(
        (status = 201, description = "It exists now.", body = CreatedSatellite,
            headers(("Location" = String, description = "The satellite's path"))),
        (status = 409, description = "Another satellite has the name.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<CreatedSatellite>), Refusal> {
    let request = fields.read(satellite_request)?;
    let created = state.service.create(request).await?;
    let path = format!("/api/v1/satellites/{}", created.view.stored.satellite.id);
    Ok((StatusCode::CREATED, [(LOCATION, path)], Json((&created).into())))
}

fn satellite_request(fields: &mut Fields) -> Option<SatelliteRequest> {
    let name = fields.required_text("name");
    let region = fields.required_text("region");
    let tags = fields.tags("tags").unwrap_or_default();
    let offline_threshold = fields.optional("offlineThresholdMs").map(Millis::new);
    let managed_by = fields.optional("managedBy").map(|Manager(manager)| manager);
    Some(SatelliteRequest { name: name?, region: region?, tags, offline_threshold, managed_by })
}

/// List satellites
///
/// Ordered by name. Filters narrow together.
#[utoipa::path(
    get,
    path = "/api/v1/satellites",
    operation_id = "listSatellites",
    tag = "satellites",
    params(
        ("status" = Option<Status>, Query, description = "Only those with this status."),
        ("region" = Option<String>, Query, description = "Only those in exactly this region."),
        ("tag" = Option<Vec<String>>, Query, explode, example = json!(["env:prod"]),
            description = "Only those with this tag, as `key:value`; may be repeated, then all."),
        ("q" = Option<String>, Query, max_length = 200,
            description = "Only those whose name or region contains this text, or whose id begins \
                with it, without regard to the case of ASCII letters."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<Satellite>)),
)]
async fn list(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<Satellite>>, Refusal> {
    let (list, limit, wanted) = query.read(list_query)?;
    let found = state.service.list(wanted).await?;
    let key = |view: &SatelliteView| view.stored.satellite.name.to_string();
    Ok(Json(list.page(found, limit, key)))
}

fn list_query(query: &mut Query) -> Option<(List, usize, ListQuery)> {
    let status = query.parsed("status", |text| {
        CoreStatus::from_name(text).ok_or_else(|| not_one_of(text, &Status::names()))
    });
    let region = query.parsed("region", |text| text.parse::<Region>());
    let text = query.parsed("q", |text| match text.chars().count() {
        chars if chars > MAX_NAME_CHARS => {
            Err(format!("must have at most {MAX_NAME_CHARS} characters"))
        }
        _ if text.contains(char::is_control) => {
            Err("must not contain control characters".to_owned())
        }
        _ => Ok(text.to_owned()),
    });
    let tags = tag_filters(query);
    let limit = query.limit();
    let (status, region, text, tags) = (status?, region?, text?, tags?);
    let region = region.map(|region| region.to_string());
    let text = text.filter(|text| !text.is_empty());
    let list = List::new("satellites", &(status.map(Status), &region, &text, &tags));
    let after = list.after(query, |name| name.parse::<Name>().ok())?;
    let limit = limit?;
    let wanted =
        ListQuery { status, region, tags, text, after, limit: limit + 1, ..Default::default() };
    Some((list, limit, wanted))
}

fn tag_filters(query: &mut Query) -> Option<Vec<(String, String)>> {
    let filters = query.many("tag");
    if filters.len() > MAX_TAGS {
        query.fail("tag", format!("must be given at most {MAX_TAGS} times"));
        return None;
    }
    let split = |filter: &String| {
        filter.split_once(':').map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    let pairs: Option<Vec<_>> = filters.iter().map(split).collect();
    if pairs.is_none() {
        query.fail("tag", "must be key:value");
    }
    pairs
}

/// See a satellite
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}",
    operation_id = "getSatellite",
    tag = "satellites",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses((status = 200, description = "The satellite.", body = Satellite)),
)]
async fn show(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
) -> Result<Json<Satellite>, Refusal> {
    Ok(Json((&state.service.get(id).await?).into()))
}

/// Change a satellite
///
/// What is absent stays. `offlineThresholdMs: null` brings the default back; `enabled: false` ends
/// its sessions and refuses it until it is enabled again.
#[utoipa::path(
    patch,
    path = "/api/v1/satellites/{id}",
    operation_id = "updateSatellite",
    tag = "satellites",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    request_body = UpdateSatellite,
    responses(
        (status = 200, description = "The satellite as it is now.", body = Satellite),
        (status = 409, description = "Another satellite has the name, or others are changing it.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn update(
    State(state): State<AppState>,
    Extension(authorised): Extension<Authorised>,
    Id(id): Id<SatelliteId>,
    fields: Fields,
) -> Result<Json<Satellite>, Refusal> {
    let patch = fields.read(|fields| Some(satellite_patch(fields)))?;
    let view = state.service.update(id, patch, authorised.caller.actor).await?;
    Ok(Json((&view).into()))
}

fn satellite_patch(fields: &mut Fields) -> SatellitePatch {
    let update = SatelliteUpdate {
        name: fields.optional_text("name"),
        region: fields.optional_text("region"),
        tags: fields.tags("tags"),
        own_threshold: None,
    };
    let threshold = fields.optional::<Option<u64>>("offlineThresholdMs");
    SatellitePatch {
        update,
        offline_threshold: threshold.map(|own| own.map(Millis::new)),
        enabled: fields.optional("enabled"),
    }
}

/// Remove a satellite
///
/// Ends its connection, on whichever pod it is.
#[utoipa::path(
    delete,
    path = "/api/v1/satellites/{id}",
    operation_id = "removeSatellite",
    tag = "satellites",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses((status = 204, description = "It is gone.")),
)]
async fn remove(
    State(state): State<AppState>,
    Extension(authorised): Extension<Authorised>,
    Id(id): Id<SatelliteId>,
) -> Result<StatusCode, Refusal> {
    state.service.remove(id, authorised.caller.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a satellite a new token
///
/// The new token is shown this once. Without an overlap the old one stops at once and its
/// connection is shut down; with one both work until then.
#[utoipa::path(
    post,
    path = "/api/v1/satellites/{id}/rotate-token",
    operation_id = "rotateSatelliteToken",
    tag = "satellites",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    request_body = RotateToken,
    responses((status = 200, description = "The new token.", body = CreatedSatellite)),
)]
async fn rotate_token(
    State(state): State<AppState>,
    Extension(authorised): Extension<Authorised>,
    Id(id): Id<SatelliteId>,
    OptionalFields(fields): OptionalFields,
) -> Result<Json<CreatedSatellite>, Refusal> {
    let overlap = fields.read(|fields| Some(token_overlap(fields)))?;
    let created = state.service.rotate_token(id, overlap, authorised.caller.actor).await?;
    Ok(Json((&created).into()))
}

fn token_overlap(fields: &mut Fields) -> Option<Millis> {
    let overlap = fields.optional("overlapSeconds").map(Millis::from_secs)?;
    let within = match overlap <= MAX_TOKEN_OVERLAP {
        true => Ok(overlap),
        false => Err(format!("must be at most {} (7 days)", MAX_TOKEN_OVERLAP.get() / 1_000)),
    };
    fields.check("overlapSeconds", within).filter(|overlap| *overlap > Millis::ZERO)
}
