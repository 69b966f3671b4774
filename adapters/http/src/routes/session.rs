//! The session of a browser: sign in, see who one is, sign out.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use groundcontrol_core::ports::{FleetService, Scope};
use groundcontrol_core::satellite::Token;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::{Authorised, guarded, open};
use crate::body::Fields;
use crate::cookie::{self, Sender};
use crate::dto::{Session, SignIn};
use crate::problem::Refusal;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(open(routes!(sign_in)))
        .routes(guarded(service, Scope::SatelliteRead, routes!(show)))
        .routes(open(routes!(sign_out)))
}

/// Sign in
///
/// The answer sets a cookie with the token: `HttpOnly`, `SameSite=Strict`, for a week. From then on
/// the browser needs no `Authorization`. Requests that come with the cookie are refused with 403
/// unless the browser says that a page of this server sent them.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "signIn",
    tag = "session",
    request_body = SignIn,
    responses((status = 200, description = "Who that is.", body = Session,
        headers(("Set-Cookie" = String, description = "The cookie with the token")))),
)]
async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Refusal> {
    refuse_others(&headers)?;
    let token = fields.read(presented)?;
    let caller = state.service.caller(&token).await?.ok_or_else(Refusal::bad_token)?;
    let cookie = cookie::keep(&token, &headers);
    Ok(([(SET_COOKIE, cookie)], Json(Session::from(&caller))).into_response())
}

fn presented(fields: &mut Fields) -> Option<Token> {
    let text = fields.required::<String>("token").map(zeroize::Zeroizing::new)?;
    let token = match text.trim() {
        "" => Err("must not be empty"),
        token => Ok(Token::presented(token)),
    };
    fields.check("token", token)
}

/// See who is signed in
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "getSession",
    tag = "session",
    responses((status = 200, description = "Whose token was presented.", body = Session)),
)]
async fn show(Extension(authorised): Extension<Authorised>) -> Json<Session> {
    Json((&authorised.caller).into())
}

/// Sign out
///
/// The browser forgets the token, which goes on being valid.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "signOut",
    tag = "session",
    responses((status = 204, description = "It is forgotten.",
        headers(("Set-Cookie" = String, description = "An expired cookie")))),
)]
async fn sign_out(headers: HeaderMap) -> Result<Response, Refusal> {
    refuse_others(&headers)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::forget(&headers))]).into_response())
}

/// Another site must not choose who a browser is here.
fn refuse_others(headers: &HeaderMap) -> Result<(), Refusal> {
    match cookie::sender(headers) {
        Sender::Foreign => Err(Refusal::foreign()),
        Sender::Own | Sender::Unsaid => Ok(()),
    }
}
