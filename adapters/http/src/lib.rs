//! The HTTP surface of Ground Control: admin API, event stream, web console, probes, metrics, OpenAPI.
//!
//! [`router`] turns [`Services`] into an axum router; the listener, TLS
//! and the satellites' WebSocket belong to whoever serves it. Nothing here knows a rule of the
//! domain: requests become core types, answers become the shapes in [`dto`], which a client in Rust
//! shares.
//!
//! Read in this order: [`dto`] is what goes over the wire, `problem` how errors look,
//! `access` who may, `cookie` what a browser may with its session, `body` and `query` how requests
//! are read, `cursor` how lists go on, `routes` what there is, `encoder` writes the same events for
//! others, `openapi` and `docs` how it is described, `console` the pages for people, `layers` and
//! `telemetry` what holds for every answer.
//!
//! ```
//! use groundcontrol_http::{HttpSettings, Services, router};
//!
//! fn serve(services: Services) -> axum::Router {
//!     router(services, HttpSettings::default())
//! }
//! ```

#![deny(missing_docs)]

pub mod dto;
mod problem;
mod access;
mod cookie;
mod body;
mod upload;
mod query;
mod cursor;
mod routes;
mod openapi;
mod docs;
mod console;
mod layers;
mod telemetry;
mod encoder;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use groundcontrol_core::ports::{
    FleetService, PackageService, RuleService, SecretService, WebhookService, WorkService,
};

pub use encoder::CloudEvents;

/// What the surface asks.
#[derive(Clone)]
pub struct Services {
    /// About satellites, their connections, events and API tokens.
    pub fleet: Arc<dyn FleetService>,
    /// About what satellites run.
    pub work: Arc<dyn WorkService>,
    /// About what their scripts import.
    pub packages: Arc<dyn PackageService>,
    /// About secrets, and who got which.
    pub secrets: Arc<dyn SecretService>,
    /// About who is told of events over HTTP.
    pub webhooks: Arc<dyn WebhookService>,
    /// About rules, and what they see.
    pub rules: Arc<dyn RuleService>,
}

/// How the surface behaves; nothing here is a rule of the domain.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// An event stream without news sends a comment after this long, so that proxies keep it.
    pub keep_alive: Duration,
    /// Whether the token of an open event stream is still good is asked again after this long.
    pub recheck_token: Duration,
    /// Event streams at a time; beyond that they are refused with 503.
    pub max_event_streams: usize,
    /// A request's body must have arrived after this long, or is refused with 408.
    pub body_within: Duration,
    /// A script package's blob must have arrived after this long, or is refused with 408.
    pub upload_within: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            recheck_token: Duration::from_secs(60),
            max_event_streams: 1_000,
            body_within: Duration::from_secs(30),
            upload_within: Duration::from_secs(300),
        }
    }
}

/// The surface over `services`: the web console at `/`, `/api/v1/…`, `/healthz`, `/readyz`,
/// `/metrics`, `/openapi.json` and `/docs`.
///
/// It answers every other path with a 404 problem, so it can be merged with routers that have no
/// fallback of their own.
pub fn router(services: Services, settings: HttpSettings) -> Router {
    let state = routes::AppState::new(services, settings);
    let (api, document) = routes::api(&state).split_for_parts();
    state.publish(&document);
    layers::apply(api.with_state(state).merge(docs::page()).merge(console::page()))
}
