//! Whether the queue is there, for operators: one gauge, and a line in the log where it changes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics::{describe_gauge, gauge};
use tokio::sync::watch;
use tracing::{info, warn};

/// 1 while this pod can send and hear nudges, 0 while it cannot.
const CONNECTED: &str = "groundcontrol_queue_connected";

/// Whether there is a connection, and whoever waits for one.
pub(crate) struct Health {
    connection: watch::Sender<Connection>,
    was_there: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    NotYet,
    Away,
    There,
}

impl Health {
    pub(crate) fn new() -> Self {
        describe_gauge!(CONNECTED, "Whether this pod reaches the other pods through the queue");
        gauge!(CONNECTED).set(0.0);
        Self { connection: watch::Sender::new(Connection::NotYet), was_there: false.into() }
    }

    /// There is a connection; answers whether there was one before.
    pub(crate) fn works(&self) -> bool {
        gauge!(CONNECTED).set(1.0);
        if self.connection.send_replace(Connection::There) == Connection::Away {
            info!("the queue is back");
        }
        self.was_there.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn failed(&self, error: &dyn fmt::Display) {
        gauge!(CONNECTED).set(0.0);
        if self.connection.send_replace(Connection::Away) != Connection::Away {
            warn!(
                %error,
                "the queue is away: until it is back, pods notice each other's changes when they \
                 look by themselves"
            );
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        *self.connection.borrow() == Connection::There
    }

    /// Waits until there is a connection.
    pub(crate) async fn there(&self) {
        // The sender is part of this, so there is always an answer.
        let _ = self.connection.subscribe().wait_for(|now| *now == Connection::There).await;
    }
}
