//! API tokens: make, list, revoke.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use groundcontrol_core::ports::{ApiToken as CoreToken, ApiTokenId, FleetService, Scope};
use groundcontrol_core::satellite::Name;
use groundcontrol_core::time::Timestamp;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{AppState, Id};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{self, ApiToken, CreateApiToken, CreatedApiToken, Page, not_one_of};
use crate::problem::Refusal;
use crate::query::Query;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let admin = |routes| guarded(service, Scope::Admin, routes);
    OpenApiRouter::new()
        .routes(admin(routes!(create)))
        .routes(admin(routes!(list)))
        .routes(admin(routes!(remove)))
}

/// Make an API token
///
/// Its value is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/api-tokens",
    operation_id = "createApiToken",
    tag = "api-tokens",
    request_body = CreateApiToken,
    responses((status = 201, description = "It works from now on.", body = CreatedApiToken)),
)]
async fn create(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<(StatusCode, Json<CreatedApiToken>), Refusal> {
    let (name, scopes, expires_at) = fields.read(token_request)?;
    let (token, value) = state.service.create_api_token(name, scopes, expires_at).await?;
    let created = CreatedApiToken { api_token: (&token).into(), token: (&value).into() };
    Ok((StatusCode::CREATED, Json(created)))
}

fn token_request(fields: &mut Fields) -> Option<(String, Vec<Scope>, Option<Timestamp>)> {
    let name = fields.required_text::<Name>("name");
    let scopes = fields.each("scopes", |text| {
        Scope::from_name(text).ok_or_else(|| not_one_of(text, &dto::Scope::names()))
    });
    let some = scopes.map(|scopes| match scopes.is_empty() {
        true => Err("must name at least one scope"),
        false => Ok(scopes),
    });
    let scopes = some.and_then(|some| fields.check("scopes", some));
    let expires_at = fields.optional_text("expiresAt");
    Some((name?.to_string(), scopes?.into_iter().collect(), expires_at))
}

/// List API tokens
///
/// Oldest first, never their values.
#[utoipa::path(
    get,
    path = "/api/v1/api-tokens",
    operation_id = "listApiTokens",
    tag = "api-tokens",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<ApiToken>)),
)]
async fn list(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<ApiToken>>, Refusal> {
    let list = List::new("api-tokens", &());
    let (after, limit) = query.read(|query| {
        let after = list.after(query, parse_place);
        let limit = query.limit();
        Some((after?, limit?))
    })?;
    let mut tokens = state.service.api_tokens().await?;
    tokens.sort_by_key(place);
    tokens.retain(|token| after.is_none_or(|after| place(token) > after));
    let key = |token: &CoreToken| {
        let (at, id) = place(token);
        format!("{}:{id}", at.as_millis())
    };
    Ok(Json(list.page(tokens, limit, key)))
}

/// A token's place in the list: tokens may share a moment, so the id decides then.
fn place(token: &CoreToken) -> (Timestamp, Uuid) {
    (token.created_at, token.id.0)
}

fn parse_place(text: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = text.split_once(':')?;
    Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
}

/// Revoke an API token
#[utoipa::path(
    delete,
    path = "/api/v1/api-tokens/{id}",
    operation_id = "revokeApiToken",
    tag = "api-tokens",
    params(("id" = Uuid, Path, description = "The token's id")),
    responses((status = 204, description = "It is refused from now on.")),
)]
async fn remove(
    State(state): State<AppState>,
    Id(id): Id<ApiTokenId>,
) -> Result<StatusCode, Refusal> {
    state.service.delete_api_token(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
