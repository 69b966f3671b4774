//! Secrets for satellites: where they are, and deliveries that wait to be put on record.

use std::sync::Arc;

use groundcontrol_core::ports::{SecretDeliveryStore, SecretSource};
use groundcontrol_core::secrets::Delivery;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

/// Where secrets are, and where deliveries are put on record.
#[derive(Clone)]
pub struct SecretPorts {
    /// Where they are.
    pub source: Arc<dyn SecretSource>,
    /// The record.
    pub deliveries: Arc<dyn SecretDeliveryStore>,
}

/// The ports, with what waits. As many wait as requests are in flight, at most.
pub struct SecretDesk {
    pub(crate) ports: SecretPorts,
    /// Told when something waits.
    pub(crate) waiting: Notify,
    deliveries: Mutex<Vec<WaitingDelivery>>,
}

/// A delivery that waits to be put on record, and who waits for that.
pub type WaitingDelivery = (Delivery, oneshot::Sender<()>);

impl SecretDesk {
    /// Nothing waits yet.
    pub fn new(ports: SecretPorts) -> Self {
        Self { ports, waiting: Notify::new(), deliveries: Mutex::default() }
    }

    /// Lets a delivery wait; the answer comes once it is on record, and never where it cannot be.
    pub fn push(&self, delivery: Delivery) -> oneshot::Receiver<()> {
        let (recorded, answer) = oneshot::channel();
        self.deliveries.lock().push((delivery, recorded));
        self.waiting.notify_one();
        answer
    }

    /// Takes all that wait.
    pub fn take(&self) -> Vec<WaitingDelivery> {
        std::mem::take(&mut self.deliveries.lock())
    }
}
