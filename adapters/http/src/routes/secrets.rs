//! Secrets: list their names, set, delete, seal again; and who got which.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use groundcontrol_core::ports::{FleetService, Scope, SecretDeliveryQuery};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::secrets::{SecretName, SecretValue, StoredDelivery};
use groundcontrol_core::time::Timestamp;
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{Page, PutSecret, Resealed, Secret, SecretDelivery, SecretEntry};
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let admin = |routes| guarded(service, Scope::Admin, routes);
    OpenApiRouter::new()
        .routes(admin(routes!(list)))
        .routes(admin(routes!(put)))
        .routes(admin(routes!(remove)))
        .routes(admin(routes!(reseal)))
        .routes(admin(routes!(deliveries)))
}

/// The `{name}` of a path.
struct Named(SecretName);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let text = params.as_ref().and_then(|all| all.iter().find(|(name, _)| *name == "name"));
        let name = text.map_or("", |(_, text)| text).parse();
        name.map(Self).map_err(|why| Refusal::field("/name", why.to_string()))
    }
}

/// List secrets
///
/// Their names, in order; never their values.
#[utoipa::path(
    get,
    path = "/api/v1/secrets",
    operation_id = "listSecrets",
    tag = "secrets",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<SecretEntry>)),
)]
async fn list(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<SecretEntry>>, Refusal> {
    let list = List::new("secrets", &());
    let (after, limit) = query.read(|query| {
        let after = list.after(query, |key| key.parse::<SecretName>().ok());
        let limit = query.limit();
        Some((after?, limit?))
    })?;
    let names = state.secrets.secret_names().await?.into_iter();
    let rest = names.filter(|name| after.as_ref().is_none_or(|after| name > after));
    let found: Vec<_> = rest.take(limit + 1).collect();
    Ok(Json(list.page(found, limit, ToString::to_string)))
}

/// Set a secret
///
/// New or not. A source that is filled elsewhere, such as a folder, answers 409.
#[utoipa::path(
    put,
    path = "/api/v1/secrets/{name}",
    operation_id = "putSecret",
    tag = "secrets",
    params(("name" = String, Path, description = "Letters, digits, `_` and `-`")),
    request_body = PutSecret,
    responses((status = 204, description = "It is delivered from now on.")),
)]
async fn put(
    State(state): State<AppState>,
    Named(name): Named,
    fields: Fields,
) -> Result<StatusCode, Refusal> {
    let value = fields.read(|fields| fields.required::<Secret>("value"))?;
    state.secrets.put_secret(name, SecretValue::new(value.expose())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a secret
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{name}",
    operation_id = "deleteSecret",
    tag = "secrets",
    params(("name" = String, Path, description = "The secret's name")),
    responses((status = 204, description = "It is delivered no more.")),
)]
async fn remove(State(state): State<AppState>, Named(name): Named) -> Result<StatusCode, Refusal> {
    state.secrets.delete_secret(name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Seal all secrets again
///
/// Under the current key, those that are sealed under another. Afterwards the others are no longer
/// needed.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/reseal",
    operation_id = "resealSecrets",
    tag = "secrets",
    responses((status = 200, description = "All are sealed under the current key.", body = Resealed)),
)]
async fn reseal(State(state): State<AppState>) -> Result<Json<Resealed>, Refusal> {
    let resealed = state.secrets.reseal_secrets().await?;
    Ok(Json(Resealed { resealed }))
}

/// List deliveries of secrets
///
/// Who asked for which place, which secrets that names, and whether they were delivered; newest
/// first. Filters narrow together.
#[utoipa::path(
    get,
    path = "/api/v1/secret-deliveries",
    operation_id = "listSecretDeliveries",
    tag = "secrets",
    params(
        ("satelliteId" = Option<Uuid>, Query, description = "Only those to this satellite."),
        ("since" = Option<String>, Query, description = "Only those at this time or later."),
        ("until" = Option<String>, Query, description = "Only those before this time."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<SecretDelivery>)),
)]
async fn deliveries(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<SecretDelivery>>, Refusal> {
    let (list, limit, wanted) = query.read(delivery_query)?;
    let found = state.secrets.secret_deliveries(wanted).await?;
    Ok(Json(list.page(found, limit, |stored: &StoredDelivery| stored.number.to_string())))
}

fn delivery_query(query: &mut Query) -> Option<(List, usize, SecretDeliveryQuery)> {
    let satellite = query.parsed("satelliteId", |text| text.parse::<SatelliteId>());
    let (times, limit) = (query.times(), query.limit());
    let (satellite, [since, until]) = (satellite?, times?);
    let times = [since, until].map(|at| at.map(Timestamp::as_millis));
    let list = List::new("secret-deliveries", &(satellite.map(|id| id.0), times));
    let after = list.after(query, |key| key.parse().ok())?;
    let limit = limit?;
    let wanted = SecretDeliveryQuery { satellite, since, until, after, limit: limit + 1 };
    Some((list, limit, wanted))
}
