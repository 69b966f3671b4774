//! Sinks of events: the ports that know them, and what makes this pod look.

use std::sync::Arc;

use groundcontrol_core::ports::{EventSink, SinkStore};
use tokio::sync::Notify;

/// Where all events go besides.
#[derive(Clone)]
pub struct SinkPorts {
    /// How far they have come.
    pub store: Arc<dyn SinkStore>,
    /// The sinks, each with a name of its own.
    pub sinks: Vec<Arc<dyn EventSink>>,
}

/// The ports, with what tells each sink's task that there may be something to do.
pub struct Sinks {
    pub(crate) store: Arc<dyn SinkStore>,
    pub(crate) all: Vec<(Arc<dyn EventSink>, Notify)>,
}

impl Sinks {
    /// Sinks that nobody feeds yet.
    pub fn new(ports: SinkPorts) -> Self {
        let all = ports.sinks.into_iter().map(|sink| (sink, Notify::new())).collect();
        Self { store: ports.store, all }
    }

    /// There may be something to do.
    pub fn look(&self) {
        self.all.iter().for_each(|(_, wake)| wake.notify_one());
    }
}
