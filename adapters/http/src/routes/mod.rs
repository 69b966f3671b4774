//! What there is: one module a kind of thing, each with its handlers and their descriptions.

mod satellites;
mod connections;
mod events;
mod triggers;
mod webhooks;
mod rules;
mod systems;
mod checks;
mod assignments;
mod sandbox_policy;
mod results;
mod script_packages;
mod secrets;
mod api_tokens;
mod session;
mod operations;

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, RawPathParams};
use bytes::Bytes;
use groundcontrol_core::ports::{
    ApiTokenId, FleetService, PackageService, RuleService, SecretService, WebhookService,
    WorkService,
};
use groundcontrol_core::satellite::SatelliteId;
use http::request::Parts;
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::problem::Refusal;
use crate::{HttpSettings, Services, openapi};

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) service: Arc<dyn FleetService>,
    pub(crate) work: Arc<dyn WorkService>,
    pub(crate) packages: Arc<dyn PackageService>,
    pub(crate) secrets: Arc<dyn SecretService>,
    pub(crate) webhooks: Arc<dyn WebhookService>,
    pub(crate) rules: Arc<dyn RuleService>,
    pub(crate) settings: Arc<HttpSettings>,
    streams: Arc<Semaphore>,
    document: Arc<OnceLock<Bytes>>,
}

impl AppState {
    pub(crate) fn new(services: Services, settings: HttpSettings) -> Self {
        let Services { fleet: service, work, packages, secrets, webhooks, rules } = services;
        let streams = Arc::new(Semaphore::new(settings.max_event_streams));
        let (settings, document) = (Arc::new(settings), Arc::default());
        Self { service, work, packages, secrets, webhooks, rules, settings, streams, document }
    }

    /// Makes `document` what `/openapi.json` answers.
    pub(crate) fn publish(&self, document: &OpenApi) {
        let json = serde_json::to_vec(document).unwrap_or_default();
        self.document.get_or_init(|| json.into());
    }
}

/// Every route, with its description.
pub(crate) fn api(state: &AppState) -> OpenApiRouter<AppState> {
    let service = &state.service;
    OpenApiRouter::with_openapi(openapi::base())
        .merge(satellites::router(service))
        .merge(connections::router(service))
        .merge(events::router(service))
        .merge(triggers::router(service))
        .merge(webhooks::router(service))
        .merge(rules::router(service))
        .merge(systems::router(service))
        .merge(checks::router(service))
        .merge(assignments::router(service))
        .merge(sandbox_policy::router(service))
        .merge(results::router(service))
        .merge(script_packages::router(service))
        .merge(secrets::router(service))
        .merge(api_tokens::router(service))
        .merge(session::router(service))
        .merge(operations::router())
}

/// The `{id}` of a path; what is no id is not found.
pub(crate) struct Id<T>(pub(crate) T);

/// A kind of thing with an id.
pub(crate) trait Identified: Sized {
    /// What it is called in "there is no such …".
    const WHAT: &'static str;

    fn of(id: Uuid) -> Self;
}

impl Identified for SatelliteId {
    const WHAT: &'static str = "satellite";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

impl Identified for ApiTokenId {
    const WHAT: &'static str = "API token";

    fn of(id: Uuid) -> Self {
        Self(id)
    }
}

impl<T: Identified, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let text = params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "id"));
        let id = text.and_then(|(_, text)| Uuid::from_str(text).ok());
        id.map(|id| Self(T::of(id))).ok_or_else(|| Refusal::not_found(T::WHAT))
    }
}
