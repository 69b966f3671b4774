//! Making, changing and removing satellites.

use groundcontrol_core::connection::{Actor, RevokeScope};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{
    CreateOutcome, Created, CredentialAction, FieldError, FleetError, NewSatellite, Nudge, Removal,
    SatellitePatch, SatelliteRequest, SatelliteUpdate, SatelliteView, StoreError, UpdateOutcome,
    WriteOutcome,
};
use groundcontrol_core::satellite::{
    HashedToken, Name, OwnThreshold, ReportedAgent, Satellite, SatelliteId, Token, TokenHash,
    TokenId,
};
use groundcontrol_core::time::Millis;
use uuid::Uuid;

use crate::pod::Pod;

const NO_SATELLITE: FleetError = FleetError::NotFound { what: "satellite" };

impl Pod {
    pub(crate) async fn view(&self, id: SatelliteId) -> Result<SatelliteView, FleetError> {
        let stored = self.store.get(id).await?.ok_or(NO_SATELLITE)?;
        let status = stored.status(self.now());
        let work = match &self.work {
            Some(work) => Some(work.ports.revisions.revision(id).await?),
            None => None,
        };
        Ok(SatelliteView { stored, status, work })
    }

    pub(crate) async fn create_satellite(
        &self,
        request: SatelliteRequest,
    ) -> Result<Created, FleetError> {
        let own_threshold =
            request.offline_threshold.map(|span| self.own_threshold(span)).transpose()?;
        let (token, hashed) = self.new_token()?;
        let satellite = Satellite {
            id: SatelliteId(self.new_id()?),
            name: request.name,
            region: request.region,
            tags: request.tags,
            own_threshold,
            enabled: true,
            agent: ReportedAgent::default(),
            managed_by: request.managed_by,
            created_at: self.now(),
        };
        let (id, name) = (satellite.id, satellite.name.clone());
        let new = NewSatellite { satellite, token: hashed };
        let outcome = match self.store.create(new.clone()).await {
            Err(StoreError::OutcomeUnknown { .. }) => self.store.create(new).await?,
            answer => answer?,
        };
        match outcome {
            CreateOutcome::NameTaken => Err(taken(&name)),
            CreateOutcome::Created => {
                self.broadcast.send(Nudge::ConfigChanged { satellite: id });
                Ok(Created { view: self.view(id).await?, token })
            }
        }
    }

    pub(crate) async fn update_satellite(
        &self,
        id: SatelliteId,
        patch: SatellitePatch,
        actor: Actor,
    ) -> Result<SatelliteView, FleetError> {
        let own_threshold = match patch.offline_threshold {
            Some(Some(span)) => Some(Some(self.own_threshold(span)?)),
            Some(None) => Some(None),
            None => None,
        };
        let update = SatelliteUpdate { own_threshold, ..patch.update };
        if update != SatelliteUpdate::default() {
            let name = update.name.clone();
            match (self.store.update(id, update).await?, name) {
                (UpdateOutcome::Updated, _) => {}
                (UpdateOutcome::NameTaken, Some(name)) => return Err(taken(&name)),
                (UpdateOutcome::NameTaken, None) => return Err(FleetError::Busy),
                (UpdateOutcome::Gone, _) => return Err(NO_SATELLITE),
            }
            self.broadcast.send(Nudge::ConfigChanged { satellite: id });
        }
        if let Some(enabled) = patch.enabled {
            self.set_enabled(id, enabled, actor).await?;
        }
        self.view(id).await
    }

    /// Disabling ends the session in the same write (rule T8); what is so already is left alone.
    async fn set_enabled(
        &self,
        id: SatelliteId,
        enabled: bool,
        actor: Actor,
    ) -> Result<(), FleetError> {
        let stored = self.store.get(id).await?.ok_or(NO_SATELLITE)?;
        if stored.satellite.enabled == enabled {
            return Ok(());
        }
        let ends = (!enabled).then_some(RevokeScope::AnyToken);
        let action = CredentialAction::SetEnabled(enabled);
        self.change_credentials(id, action, ends, self.origin_of(actor)).await
    }

    pub(crate) async fn rotate_satellite_token(
        &self,
        id: SatelliteId,
        overlap: Option<Millis>,
        actor: Actor,
    ) -> Result<Created, FleetError> {
        let (token, new) = self.new_token()?;
        let origin = self.origin_of(actor);
        match overlap.filter(|span| *span > Millis::ZERO) {
            None => {
                let ends = Some(RevokeScope::AnyToken);
                self.change_credentials(id, CredentialAction::Replace(new), ends, origin).await?;
            }
            Some(span) => {
                let action = CredentialAction::Overlap { new, until: self.now() + span };
                self.change_credentials(id, action, None, origin).await?;
            }
        }
        Ok(Created { view: self.view(id).await?, token })
    }

    /// Rule T7. Answers as done when another did it in the meantime.
    pub(crate) async fn remove_satellite(
        &self,
        id: SatelliteId,
        actor: Actor,
    ) -> Result<(), FleetError> {
        let mut perhaps_done = false;
        for _ in 0..WRITE_ATTEMPTS {
            let Some(read) = self.store.snapshot(id).await? else {
                return if perhaps_done { self.removed(id) } else { Err(NO_SATELLITE) };
            };
            let (origin, now) = (self.origin_of(actor.clone()), self.now());
            match self.store.remove(Removal { read, origin, now }).await {
                Ok(WriteOutcome::Applied) => return self.removed(id),
                Ok(WriteOutcome::Gone) => return Err(NO_SATELLITE),
                Ok(WriteOutcome::Conflict) => {}
                Err(StoreError::OutcomeUnknown { .. }) => perhaps_done = true,
                Err(error) => return Err(error.into()),
            }
        }
        Err(FleetError::Busy)
    }

    /// A random UUID.
    pub(crate) fn new_id(&self) -> Result<Uuid, FleetError> {
        let bytes = (self.entropy)()?;
        let half = bytes.first_chunk::<16>().copied().unwrap_or_default();
        Ok(uuid::Builder::from_random_bytes(half).into_uuid())
    }

    fn new_token(&self) -> Result<(Token, HashedToken), FleetError> {
        let token = Token::for_satellite((self.entropy)()?);
        let id = TokenId(self.new_id()?);
        let hashed = HashedToken { id, hash: TokenHash::of(&token), expires_at: None };
        Ok((token, hashed))
    }

    fn removed(&self, satellite: SatelliteId) -> Result<(), FleetError> {
        self.broadcast.send(Nudge::Removed { satellite });
        Ok(())
    }

    fn own_threshold(&self, span: Millis) -> Result<OwnThreshold, FleetError> {
        OwnThreshold::new(span, self.liveness.heartbeat_interval).map_err(|why| {
            let pointer = "/offlineThresholdMs".to_owned();
            FleetError::Invalid(vec![FieldError { pointer, detail: why.to_string() }])
        })
    }
}

fn taken(name: &Name) -> FleetError {
    FleetError::NameTaken { what: "satellite", name: name.as_str().to_owned() }
}
