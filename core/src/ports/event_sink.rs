//! Where all events go besides: a subject of a message broker, a log.

use async_trait::async_trait;

use super::EventCursor;
use crate::connection::Event;

/// Takes all events, in their one order.
///
/// Promises: what was taken has arrived, in the order in which it was given. May fail: a call of
/// [`take`](Self::take); then some of its events may have arrived, and all are given again, so
/// that who reads on the other side tells a repetition by the event's id. Ends in bounded time.
/// Every promise has a case in `conformance::event_sink`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Its name. How far events have come is kept under it, so it is the same on all pods, and
    /// after every restart.
    fn name(&self) -> SinkName;

    /// Takes events.
    async fn take(&self, events: &[SinkEvent]) -> Result<(), SinkError>;
}

/// An event and its place in the order of all events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkEvent {
    /// Its place.
    pub cursor: EventCursor,
    /// The event.
    pub event: Event,
}

/// What a sink is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkName(Box<str>);

/// Events did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("events did not reach {sink}: {detail}")]
pub struct SinkError {
    /// Which sink.
    pub sink: SinkName,
    /// What went wrong.
    pub detail: String,
}

impl SinkName {
    /// The sink called `name`.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SinkName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
