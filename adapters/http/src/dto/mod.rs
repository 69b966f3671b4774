//! The shapes of the API: what requests and answers look like on the wire, for the server and
//! for every client in Rust.
//!
//! Names are camelCase; points in time are RFC 3339 in UTC with milliseconds; what is optional is
//! absent, not null, except where a field says "or null". The names of statuses, edges, causes,
//! event types and scopes are the core's own.

mod word;
mod problem;
mod page;
mod satellite;
mod connection;
mod explanation;
mod event;
mod trigger;
mod alert;
mod rule;
mod webhook;
mod opaque;
mod work;
mod run;
mod packages;
mod secrets;
mod api_token;
mod session;
mod probe;

pub use alert::{Alert, AlertData, AlertEvent};
pub use api_token::{ApiToken, CreateApiToken, CreatedApiToken};
pub use connection::{BatchGet, ConnectionState, ConnectionStates, OnlineIds, Transition};
pub use event::{
    CloudEvent, EdgeData, EventData, RegionLossData, RemovedData, Signal, StreamMessage,
};
pub use explanation::{
    ClockReading, ExplainedEdge, Explanation, HeartbeatAge, Outlook, SessionFacts, Watching,
};
pub use opaque::Opaque;
pub use packages::{
    DesiredPackages, FindMissingBlobs, Lockfile, MissingBlobs, PackageBlob, PackageEntry,
    PackageSyncState, PublishPackages,
};
pub use page::Page;
pub use probe::Probe;
pub use problem::{FieldProblem, PROBLEM_JSON, Problem};
pub use rule::{CreateRule, Rule, UpdateRule};
pub use run::{Run, StrategyError};
pub use satellite::{CreateSatellite, CreatedSatellite, RotateToken, Satellite, UpdateSatellite};
pub use secrets::{PutSecret, Resealed, SecretDelivery, SecretEntry};
pub use session::{Session, SignIn};
pub use trigger::Trigger;
pub use webhook::{
    Attempt, CreateWebhook, CreatedWebhook, Delivery, EventFilter, Redeliver, Redelivered,
    RotateSecret, SecretInfo, UpdateWebhook, Webhook, WebhookTest,
};
pub(crate) use word::not_one_of;
pub use word::{
    AlertStanding, AlertType, Cause, ContentMode, DeliveryState, Edge, EventType, Instant,
    LastEvent, Manager, NoticeType, PackageSyncStatus, PauseReason, Reason, Resolution, RuleNumber,
    RunStatus, Scope, Secret, Status,
};
pub use work::{
    Assertion, Assignment, Check, Collector, CreateAssignment, CreateCheck, CreateSystem,
    SandboxPolicy, Selector, System, UpdateAssignment, UpdateCheck, UpdateSystem,
};
