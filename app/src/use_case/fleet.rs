//! The port that operators' adapters call.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcontrol_core::connection::{Actor, ConnectionState, Explanation, Transition};
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, Caller, Created, EventCursor, EventFeed, FieldError, FleetError,
    FleetService, ListQuery, NewApiToken, Readiness, SatellitePatch, SatelliteRequest,
    SatelliteView, Scope, StoredSatellite,
};
use groundcontrol_core::satellite::{SatelliteId, Seq, Token, TokenHash};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::pod::GroundControl;

#[async_trait]
impl FleetService for GroundControl {
    async fn caller(&self, token: &Token) -> Result<Option<Caller>, FleetError> {
        let found = self.pod.api_tokens.find(&TokenHash::of(token)).await?;
        let valid = found.filter(|t| t.expires_at.is_none_or(|end| self.pod.now() < end));
        Ok(valid.map(|token| Caller { actor: Actor(token.name), scopes: token.scopes }))
    }

    async fn create(&self, request: SatelliteRequest) -> Result<Created, FleetError> {
        self.pod.create_satellite(request).await
    }

    async fn get(&self, id: SatelliteId) -> Result<SatelliteView, FleetError> {
        self.pod.view(id).await
    }

    async fn list(&self, query: ListQuery) -> Result<Vec<SatelliteView>, FleetError> {
        let now = self.pod.now();
        let found = self.pod.store.list(&ListQuery { now, ..query }).await?;
        let ids: Vec<_> = found.iter().map(|stored| stored.satellite.id).collect();
        let mut works = self.pod.revisions_of(&ids).await?.into_iter();
        let view = |stored: StoredSatellite| {
            let status = stored.status(now);
            SatelliteView { stored, status, work: works.next() }
        };
        Ok(found.into_iter().map(view).collect())
    }

    async fn update(
        &self,
        id: SatelliteId,
        patch: SatellitePatch,
        actor: Actor,
    ) -> Result<SatelliteView, FleetError> {
        self.pod.update_satellite(id, patch, actor).await
    }

    async fn remove(&self, id: SatelliteId, actor: Actor) -> Result<(), FleetError> {
        self.pod.remove_satellite(id, actor).await
    }

    async fn rotate_token(
        &self,
        id: SatelliteId,
        overlap: Option<Millis>,
        actor: Actor,
    ) -> Result<Created, FleetError> {
        self.pod.rotate_satellite_token(id, overlap, actor).await
    }

    async fn online_ids(&self) -> Result<Vec<SatelliteId>, FleetError> {
        Ok(self.pod.store.online_ids(self.pod.now()).await?)
    }

    async fn connection(&self, id: SatelliteId) -> Result<Option<ConnectionState>, FleetError> {
        let view = self.pod.view(id).await?;
        Ok(view.stored.state(self.pod.now()))
    }

    async fn connections(
        &self,
        ids: Vec<SatelliteId>,
    ) -> Result<BTreeMap<SatelliteId, ConnectionState>, FleetError> {
        let found = self.pod.store.get_many(&ids).await?;
        let now = self.pod.now();
        let state = |stored: StoredSatellite| Some((stored.satellite.id, stored.state(now)?));
        Ok(found.into_iter().filter_map(state).collect())
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Transition>, FleetError> {
        self.pod.view(id).await?;
        Ok(self.pod.store.transitions(id, before, limit).await?)
    }

    async fn explain(&self, id: SatelliteId) -> Result<Explanation, FleetError> {
        self.pod.explain_satellite(id).await
    }

    async fn events(&self, after: Option<EventCursor>) -> Result<Box<dyn EventFeed>, FleetError> {
        Ok(Box::new(self.pod.event_feed(after)))
    }

    async fn create_api_token(
        &self,
        name: String,
        scopes: Vec<Scope>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiToken, Token), FleetError> {
        let created_at = self.pod.now();
        if expires_at.is_some_and(|end| end <= created_at) {
            let detail = "must be in the future".to_owned();
            let pointer = "/expiresAt".to_owned();
            return Err(FleetError::Invalid(vec![FieldError { pointer, detail }]));
        }
        let secret = Token::for_api((self.pod.entropy)()?);
        let id = ApiTokenId(self.pod.new_id()?);
        let token = ApiToken { id, name, scopes, created_at, expires_at };
        let new = NewApiToken { token: token.clone(), hash: TokenHash::of(&secret) };
        self.pod.api_tokens.put(new).await?;
        Ok((token, secret))
    }

    async fn api_tokens(&self) -> Result<Vec<ApiToken>, FleetError> {
        Ok(self.pod.api_tokens.list().await?)
    }

    async fn delete_api_token(&self, id: ApiTokenId) -> Result<(), FleetError> {
        match self.pod.api_tokens.delete(id).await? {
            true => Ok(()),
            false => Err(FleetError::NotFound { what: "API token" }),
        }
    }

    async fn readiness(&self) -> Readiness {
        if self.pod.phase.is_draining() {
            return Readiness::Draining;
        }
        match self.pod.store.probe(self.pod.now()).await {
            Ok(()) => Readiness::Ready,
            Err(error) => Readiness::NotReady { reason: error.to_string() },
        }
    }

    fn metrics(&self) -> String {
        metrics::gauge!("groundcontrol_sessions").set(self.pod.sessions.len() as f64);
        (self.pod.render_metrics)()
    }
}
