//! Requests, counted and timed. Labels are bounded: route templates, never paths.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const REQUESTS: &str = "groundcontrol_http_requests_total";
const DURATION: &str = "groundcontrol_http_request_duration_seconds";
const STREAMS: &str = "groundcontrol_http_event_streams";

/// Tells the installed recorder what the figures mean.
pub(crate) fn describe() {
    describe_counter!(REQUESTS, "HTTP requests answered, by method, route template and status");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time from an HTTP request's arrival to the head of its answer, by method and route"
    );
    describe_gauge!(STREAMS, "Event streams that are open");
}

/// Counts a request and the time to the head of its answer.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    tracing::debug!(method, route, status, ?elapsed, "answered a request");
    histogram!(DURATION, "method" => method, "route" => route.clone())
        .record(elapsed.as_secs_f64());
    counter!(REQUESTS, "method" => method, "route" => route, "status" => status.to_string())
        .increment(1);
    response
}

/// An open event stream, for as long as it lives.
#[derive(Debug)]
pub(crate) struct OpenStream(());

impl OpenStream {
    /// Counts one more.
    pub(crate) fn opened() -> Self {
        gauge!(STREAMS).increment(1);
        Self(())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!(STREAMS).decrement(1);
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
