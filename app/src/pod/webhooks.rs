//! Webhooks: the ports that know them, and for which of them this pod is at work.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundcontrol_core::automation::WebhookId;
use groundcontrol_core::ports::{WebhookSender, WebhookStore};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The ports of webhooks.
#[derive(Clone)]
pub struct WebhookPorts {
    /// Who is told of what, and what is on its way.
    pub store: Arc<dyn WebhookStore>,
    /// The way to receivers.
    pub sender: Arc<dyn WebhookSender>,
}

/// The ports, with who is at work.
pub struct Webhooks {
    pub(crate) ports: WebhookPorts,
    /// Told when there may be something to do.
    pub(crate) wake: Notify,
    at_work: Mutex<BTreeMap<WebhookId, Arc<Notify>>>,
}

impl Webhooks {
    /// Nobody is at work yet.
    pub fn new(ports: WebhookPorts) -> Self {
        Self { ports, wake: Notify::new(), at_work: Mutex::default() }
    }

    /// There may be something to do.
    pub fn look(&self) {
        self.wake.notify_one();
        self.at_work.lock().values().for_each(|look| look.notify_one());
    }

    /// Begins to work for a webhook; none where this pod does already. Answers what tells that
    /// there may be more to do.
    pub fn begin(&self, id: WebhookId) -> Option<Arc<Notify>> {
        let mut at_work = self.at_work.lock();
        if at_work.contains_key(&id) {
            return None;
        }
        let look = Arc::new(Notify::new());
        at_work.insert(id, Arc::clone(&look));
        Some(look)
    }

    /// Whether this pod works for no webhook.
    pub fn is_idle(&self) -> bool {
        self.at_work.lock().is_empty()
    }

    /// The work for a webhook is done for now.
    pub fn end(&self, id: WebhookId) {
        self.at_work.lock().remove(&id);
    }
}
