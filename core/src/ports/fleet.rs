//! What operators ask of Ground Control.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::api_token_store::{ApiToken, ApiTokenId, Scope};
use super::error::StoreError;
use super::event_cursor::EventCursor;
use super::satellite_store::{ListQuery, SatelliteUpdate, StoredSatellite};
use crate::assignment::StoredRevision;
use crate::automation::WebhookId;
use crate::connection::{Actor, ConnectionState, Event, Explanation, Status, Transition};
use crate::desired::Manager;
use crate::satellite::{Name, Region, SatelliteId, Seq, Tags, Token};
use crate::time::{Millis, Timestamp};

/// Implemented by the app, called by the adapters that operators and programs talk to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait FleetService: Send + Sync {
    /// Who presents this API token; none: nobody that is known, or no longer.
    async fn caller(&self, token: &Token) -> Result<Option<Caller>, FleetError>;

    /// Makes a satellite and its first token.
    async fn create(&self, request: SatelliteRequest) -> Result<Created, FleetError>;

    /// One satellite.
    async fn get(&self, id: SatelliteId) -> Result<SatelliteView, FleetError>;

    /// The satellites that match, ordered by name. The query's `now` is set here.
    async fn list(&self, query: ListQuery) -> Result<Vec<SatelliteView>, FleetError>;

    /// Changes a satellite.
    async fn update(
        &self,
        id: SatelliteId,
        patch: SatellitePatch,
        actor: Actor,
    ) -> Result<SatelliteView, FleetError>;

    /// Removes a satellite (rule T7).
    async fn remove(&self, id: SatelliteId, actor: Actor) -> Result<(), FleetError>;

    /// Gives a satellite a new token; without overlap the old ones stop at once (rule T8).
    async fn rotate_token(
        &self,
        id: SatelliteId,
        overlap: Option<Millis>,
        actor: Actor,
    ) -> Result<Created, FleetError>;

    /// The ids of all satellites that are online.
    async fn online_ids(&self) -> Result<Vec<SatelliteId>, FleetError>;

    /// A satellite's connection state; none when it never connected (rule S4).
    async fn connection(&self, id: SatelliteId) -> Result<Option<ConnectionState>, FleetError>;

    /// The states of those of `ids` that exist and ever connected.
    async fn connections(
        &self,
        ids: Vec<SatelliteId>,
    ) -> Result<BTreeMap<SatelliteId, ConnectionState>, FleetError>;

    /// A satellite's history, newest first, below `before`.
    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Transition>, FleetError>;

    /// Why a satellite is what it is.
    async fn explain(&self, id: SatelliteId) -> Result<Explanation, FleetError>;

    /// Events and signals from now on, or the events after `after` and then what follows.
    async fn events(&self, after: Option<EventCursor>) -> Result<Box<dyn EventFeed>, FleetError>;

    /// Makes an API token.
    async fn create_api_token(
        &self,
        name: String,
        scopes: Vec<Scope>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiToken, Token), FleetError>;

    /// All API tokens.
    async fn api_tokens(&self) -> Result<Vec<ApiToken>, FleetError>;

    /// Revokes an API token.
    async fn delete_api_token(&self, id: ApiTokenId) -> Result<(), FleetError>;

    /// Whether this pod can serve.
    async fn readiness(&self) -> Readiness;

    /// Figures for a monitoring system, in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// As it is put on record.
    pub actor: Actor,
    /// What it may.
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// Whether it may do what needs `scope`.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|held| held.allows(scope))
    }
}

/// A satellite to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteRequest {
    /// Its name.
    pub name: Name,
    /// Its region.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
    /// Its own offline threshold, not yet checked against the heartbeat interval.
    pub offline_threshold: Option<Millis>,
    /// What makes it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
}

/// A satellite to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SatellitePatch {
    /// Name, region, tags; `own_threshold` is not used here.
    pub update: SatelliteUpdate,
    /// The new threshold, not yet checked; `Some(None)` for the default.
    pub offline_threshold: Option<Option<Millis>>,
    /// Enable or disable (rule T8).
    pub enabled: Option<bool>,
}

/// A satellite with the token that is shown this once.
#[derive(Clone, Debug)]
pub struct Created {
    /// The satellite.
    pub view: SatelliteView,
    /// Its new token.
    pub token: Token,
}

/// A satellite as it was at the moment of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteView {
    /// What is stored.
    pub stored: StoredSatellite,
    /// Its status at that moment (rule S1).
    pub status: Status,
    /// Which revision of its work it was told, and runs; none where this server gives no work.
    pub work: Option<StoredRevision>,
}

/// A stream of events and signals.
#[async_trait]
pub trait EventFeed: Send {
    /// Where the stream stands: what [`next`](Self::next) gives comes after this.
    fn position(&self) -> EventCursor;

    /// The next item; none when the server is stopping.
    async fn next(&mut self) -> Option<FeedItem>;
}

/// What a stream of events carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedItem {
    /// An event that can be resumed after.
    Event {
        /// Its place.
        cursor: EventCursor,
        /// The event.
        event: Box<Event>,
    },
    /// A hint to look again; not resumable.
    Signal(Signal),
}

/// A hint to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// With every edge, and when a satellite is removed.
    StatusChanged {
        /// Whose.
        satellite: SatelliteId,
        /// The status since.
        status: Status,
        /// Its name; none where it is not known any more.
        name: Option<Name>,
        /// Its region.
        region: Option<Region>,
    },
    /// Created, changed, rotated, or its work changed.
    ConfigChanged {
        /// Whose.
        satellite: SatelliteId,
    },
    /// A webhook is paused, because its receiver wants no more or failed for too long.
    WebhookPaused {
        /// Which.
        webhook: WebhookId,
    },
}

/// Whether a pod can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It is stopping.
    Draining,
    /// It cannot, and why.
    NotReady {
        /// In words for a person.
        reason: String,
    },
}

/// Why an operator's request was not done. Nothing was changed, except where the store says
/// that it cannot tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// There is no such thing.
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// Another of its kind has the name.
    #[error("a {what} named {name:?} exists already")]
    NameTaken {
        /// The kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// This server was put together without it.
    #[error("this server does not offer {what}")]
    NotOffered {
        /// What it lacks.
        what: &'static str,
    },
    /// It is changed elsewhere.
    #[error("{what} cannot be changed here: {how}")]
    ReadOnly {
        /// What.
        what: &'static str,
        /// What to do instead.
        how: &'static str,
    },
    /// Something else needs it.
    #[error("the {by} {name:?} uses this {what}: change or remove that first", name = .name.as_str())]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// The kind of what needs it.
        by: &'static str,
        /// Which of them.
        name: Name,
    },
    /// What it needs is out of reach.
    #[error("{what} is out of reach: {why}")]
    OutOfReach {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Fields break their limits.
    #[error("{}", FieldError::summary(.0))]
    Invalid(Vec<FieldError>),
    /// Others kept changing the same satellite.
    #[error("the satellite is being changed by others; try again")]
    Busy,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    fn summary(errors: &[Self]) -> String {
        let each = errors.iter().map(|e| format!("{} {}", e.pointer, e.detail));
        each.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_what_any_of_its_scopes_allows() {
        let caller =
            |scopes: &[Scope]| Caller { actor: Actor("ops".into()), scopes: scopes.to_vec() };
        let reader = caller(&[Scope::SatelliteRead]);
        assert!(reader.may(Scope::SatelliteRead) && !reader.may(Scope::SatelliteManage));
        let both = caller(&[Scope::SatelliteRead, Scope::SatelliteManage]);
        assert!(both.may(Scope::SatelliteManage) && !both.may(Scope::Admin));
        assert!(!caller(&[]).may(Scope::SatelliteRead));
    }

    #[test]
    fn every_field_at_fault_is_named_with_what_is_wrong() {
        let fault = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        };
        let faults = vec![fault("/name", "must not be empty"), fault("/tags", "has too many")];
        let said = FleetError::Invalid(faults).to_string();
        assert_eq!(said, "/name must not be empty; /tags has too many");
    }
}
