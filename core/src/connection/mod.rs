//! The connection of one satellite: what is stored, what may happen to it, what follows.
//!
//! Read [`record`](ConnectionRecord) → [`command`](Command) → [`decide`] → [`status`](Status) →
//! [`event`](SatelliteEvent), and what is more than one satellite's: [`region`](RegionLoss). The rules are those of ARCHITECTURE.md, "The rules"; their numbers
//! (R1 … E4) stand beside the code that holds them.

mod record;
mod command;
mod decide;
mod status;
mod event;
mod region;
mod invariants;
mod explain;

pub use command::{CloseReason, Command, Context, RevokeScope, WatchSpan};
pub use decide::{Change, Decision, Fence, Rejection, Unchanged, decide};
pub use event::{
    Actor, Edge, EventKind, Origin, SatelliteEvent, Subject, Transition, TransitionKind,
};
pub use explain::{
    ClockReading, ExplainedEdge, Explanation, Facts, HeartbeatAge, Outlook, Reason, Rule,
    SessionFacts, Words, explain,
};
pub use invariants::{HistoryFault, RecordFault, check_history, check_record};
pub(crate) use record::named;
pub use record::{Cause, ConnectionRecord, LifecycleEvent};
pub use region::{ContextId, Event, Recorded, RegionLoss};
pub use status::{ConnectionState, Status, is_overdue, online_cutoff, overdue_at, status};
