//! What holds for every answer: security headers, problems instead of bare errors, panics
//! contained, requests counted.

use std::any::Any;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::dto::PROBLEM_JSON;
use crate::problem::{self, Refusal};
use crate::telemetry;

const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// `router` with all of it.
pub(crate) fn apply(router: Router) -> Router {
    telemetry::describe();
    router
        .fallback(|| async { Refusal::no_such_path() })
        .layer(CatchPanicLayer::custom(contain))
        .layer(from_fn(problems))
        .layer(from_fn(telemetry::count))
        .layer(from_fn(secure))
}

fn contain(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    tracing::error!(panic = said, "a request panicked");
    Refusal::internal().into_response()
}

/// Gives an error without a problem the one for its status; keeps its headers, such as `Allow`.
async fn problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(CONTENT_TYPE);
    if !error || content_type.is_some_and(|value| value == PROBLEM_JSON) {
        return response;
    }
    let (mut bare, _) = response.into_parts();
    bare.headers.remove(CONTENT_LENGTH);
    bare.headers.remove(CONTENT_TYPE);
    let mut with_problem = problem::of_status(status);
    with_problem.headers_mut().extend(bare.headers);
    with_problem
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(API_POLICY));
    response
}
