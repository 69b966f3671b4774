//! What the rules need from outside, and what outside may ask of them: one trait a file.
//!
//! *Driven* ports are implemented by adapters and called by the app: [`Clock`],
//! [`SatelliteStore`], [`ApiTokenStore`], those of the work ([`WorkStore`], [`AssignmentSource`],
//! [`RevisionStore`]) and of what comes of it ([`RunSink`], [`RunStore`]), those of script packages
//! ([`PackageStore`], [`BlobStore`]), of secrets ([`SecretSource`], [`SealedStore`], [`SecretDeliveryStore`]), of
//! webhooks ([`WebhookStore`], [`WebhookSender`], [`EventEncoder`]) and rules ([`RuleStore`]), of
//! events on their way elsewhere ([`EventSink`], [`SinkStore`]), and the queue's two, [`Broadcast`] and
//! [`RecurringWork`]. *Driving* ports are implemented by the app and called by adapters that listen to the
//! world: [`SatelliteGateway`] for the satellites' sockets, [`FleetService`], [`WorkService`],
//! [`PackageService`], [`SecretService`], [`WebhookService`] and [`RuleService`] for operators. [`Outbox`] is the way back to
//! one socket.
//!
//! All are dyn-compatible; an integrator implements one in a crate of their own and runs its
//! suite from `conformance` (feature `conformance`) against it.

mod clock;
mod error;
mod event_cursor;
mod satellite_store;
mod api_token_store;
mod work_store;
mod assignment_source;
mod revision_store;
mod run_store;
mod package_store;
mod blob_store;
mod secret_source;
mod sealed_store;
mod secret_delivery_store;
mod webhook_store;
mod rule_store;
mod event_sink;
mod sink_store;
mod event_encoder;
mod webhook_sender;
mod broadcast;
mod waiting_nudges;
mod recurring_work;
mod gateway;
mod fleet;
mod work;
mod packages;
mod secrets;
mod webhooks;
mod rules;

pub use api_token_store::{ApiToken, ApiTokenId, ApiTokenStore, NewApiToken, Scope};
pub use assignment_source::AssignmentSource;
pub use blob_store::BlobStore;
pub use broadcast::{Broadcast, Nudge, NudgeStream};
pub use clock::Clock;
pub use error::{StoreError, StoreResult};
pub use event_cursor::{EventCursor, NotACursor, RecordedEvent};
pub use event_encoder::{EncodedEvent, EventEncoder};
pub use event_sink::{EventSink, SinkError, SinkEvent, SinkName};
pub use fleet::{
    Caller, Created, EventFeed, FeedItem, FieldError, FleetError, FleetService, Readiness,
    SatellitePatch, SatelliteRequest, SatelliteView, Signal,
};
pub use gateway::{
    Attempt, Authentication, Beat, Order, Outbox, ResultAck, SatelliteGateway, SessionRef, Welcome,
};
pub use package_store::{Desired, DesiredChange, DesiredOutcome, PackageStore};
pub use packages::{
    BlobFault, BlobStream, LoadedBlob, PackageError, PackageService, Room, StoredBlob,
};
pub use recurring_work::{Job, JobName, QueueError, QueueResult, RecurringWork, Run, Turn};
pub use revision_store::{RevisionStore, RevisionWrite};
pub use rule_store::{
    AlertQuery, RegionStanding, RuleAdvance, RuleProgress, RuleSaved, RuleStore, RuleUpdate,
};
pub use rules::{RuleRequest, RuleService};
pub use run_store::{LatestQuery, QuietQuery, RunQuery, RunSink, RunStore};
pub use satellite_store::{
    ConnectionSnapshot, CreateOutcome, CredentialAction, CredentialChange, Credentials, EdgeWrite,
    Guard, HeartbeatWrite, ListQuery, NewSatellite, Removal, SatelliteStore, SatelliteUpdate,
    SilenceGuard, StoredSatellite, UpdateOutcome, WriteOutcome, recorded_address,
};
pub use sealed_store::{SealedSecret, SealedStore};
pub use secret_delivery_store::{SecretDeliveryQuery, SecretDeliveryStore};
pub use secret_source::{SecretError, SecretSource};
pub use secrets::SecretService;
pub use sink_store::{SinkClaim, SinkStore};
pub use waiting_nudges::{WaitingNudges, nudges_in};
pub use webhook_sender::{OutgoingWebhook, SendReport, WebhookSender};
pub use webhook_store::{
    AttemptRecord, AttemptSeen, Backlog, Delivery, DeliveryQuery, Due, DueDelivery, NewDelivery,
    Redelivery, WebhookClaim, WebhookSaved, WebhookStore, WebhookUpdate,
};
pub use webhooks::{WebhookPatch, WebhookRequest, WebhookService};
pub use work::{AssignmentRequest, CheckRequest, SystemRequest, WorkService};
pub use work_store::{
    AssignmentQuery, AssignmentUpdate, CheckUpdate, Dangling, Saved, SystemUpdate, WorkStore,
};

#[cfg(feature = "mock")]
pub use {
    api_token_store::MockApiTokenStore, assignment_source::MockAssignmentSource,
    blob_store::MockBlobStore, clock::MockClock, event_sink::MockEventSink,
    fleet::MockFleetService, gateway::MockSatelliteGateway, package_store::MockPackageStore,
    packages::MockPackageService, recurring_work::MockRecurringWork,
    revision_store::MockRevisionStore, rule_store::MockRuleStore, rules::MockRuleService,
    run_store::MockRunSink, run_store::MockRunStore, satellite_store::MockSatelliteStore,
    sealed_store::MockSealedStore, secret_delivery_store::MockSecretDeliveryStore,
    secret_source::MockSecretSource, secrets::MockSecretService, sink_store::MockSinkStore,
    webhook_sender::MockWebhookSender, webhook_store::MockWebhookStore,
    webhooks::MockWebhookService, work::MockWorkService, work_store::MockWorkStore,
};
