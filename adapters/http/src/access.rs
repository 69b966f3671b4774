//! Who may: API tokens and scopes. The guard of a route and its description come from one call.
//!
//! A token comes as `Authorization: Bearer …`, or in the cookie of a browser that signed in; a header
//! wins over a cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use groundcontrol_core::ports::{Caller, FleetService, Scope};
use groundcontrol_core::satellite::Token;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::cookie::{self, Sender};
use crate::openapi;
use crate::problem::Refusal;

/// A caller that may do what it asks, with the token that it presented.
#[derive(Clone, Debug)]
pub(crate) struct Authorised {
    pub(crate) caller: Caller,
    pub(crate) token: Token,
}

#[derive(Clone)]
struct Guard {
    service: Arc<dyn FleetService>,
    scope: Scope,
}

/// `routes`, open only to tokens with `scope`, and described as such.
pub(crate) fn guarded<S: Clone + Send + Sync + 'static>(
    service: &Arc<dyn FleetService>,
    scope: Scope,
    mut routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    openapi::describe_guarded(&mut routes.1, scope);
    let guard = Guard { service: Arc::clone(service), scope };
    routes.map(|methods| methods.route_layer(from_fn_with_state(guard, authorise)))
}

/// `routes`, open to everybody, and described as such.
pub(crate) fn open<S>(mut routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S> {
    openapi::describe_open(&mut routes.1);
    routes
}

async fn authorise(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let token = match presented(request.method(), request.headers()) {
        Ok(Some(token)) => token,
        Ok(None) => return Refusal::no_token().into_response(),
        Err(refusal) => return refusal.into_response(),
    };
    let caller = match guard.service.caller(&token).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Refusal::bad_token().into_response(),
        Err(error) => return Refusal::from(error).into_response(),
    };
    if !caller.may(guard.scope) {
        return Refusal::missing_scope(guard.scope).into_response();
    }
    request.extensions_mut().insert(Authorised { caller, token });
    next.run(request).await
}

fn presented(method: &Method, headers: &HeaderMap) -> Result<Option<Token>, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return Ok(bearer(headers));
    }
    let Some(token) = cookie::token(headers) else { return Ok(None) };
    // A browser sends its cookies along with whatever any page asks it for.
    match cookie::sender(headers) {
        Sender::Own => Ok(Some(token)),
        Sender::Unsaid if method.is_safe() => Ok(Some(token)),
        Sender::Unsaid | Sender::Foreign => Err(Refusal::foreign()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let bearer = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    bearer.then(|| Token::presented(token))
}
