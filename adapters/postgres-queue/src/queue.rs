//! The queue as a whole: what its tasks share, and when they end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_core::ports::{Broadcast, Nudge, NudgeStream};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::connect::{Address, AddressError, Connections};
use crate::health::Health;
use crate::hub::Hub;
use crate::sender::Outbox;

/// How long opening waits for the first connection before it goes on without.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);

/// A member of the queue in one PostgreSQL database. Clones are the same member; its tasks end, and
/// with them its streams, when the last clone is dropped.
#[derive(Clone)]
pub struct PostgresQueue {
    pub(crate) shared: Arc<Shared>,
    _tasks: Arc<Tasks>,
}

/// What callers and tasks share.
pub(crate) struct Shared {
    /// Tells this member's messages from those of others.
    pub(crate) member: Uuid,
    pub(crate) address: Address,
    pub(crate) connections: Connections,
    pub(crate) hub: Hub,
    pub(crate) outbox: Outbox,
    pub(crate) health: Health,
}

struct Tasks(Vec<AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl PostgresQueue {
    /// Opens the queue in the database at `url`, with `password` in place of the URL's where it is
    /// given, and starts its tasks on the current runtime. Waits up to five seconds for the
    /// connection; where it takes longer, what is sent meanwhile waits, and who subscribed hears
    /// that it missed something.
    ///
    /// # Errors
    /// Where `url` is no `postgres://` URL that is understood.
    pub async fn open(url: &str, password: Option<&SecretString>) -> Result<Self, AddressError> {
        let address = Address::of(url, password)?;
        let shared = Arc::new(Shared {
            member: Uuid::new_v4(),
            connections: Connections::to(&address),
            address,
            hub: Hub::new(),
            outbox: Outbox::default(),
            health: Health::new(),
        });
        let (connected, mut is_connected) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(shared.clone().hear(connected)).abort_handle(),
            tokio::spawn(shared.clone().send_waiting()).abort_handle(),
        ];
        let tasks = Arc::new(Tasks(tasks));
        // Neither a queue that is away nor a slow one keeps a pod from starting.
        let _ = timeout(FIRST_CONNECTION, is_connected.wait_for(|connected| *connected)).await;
        Ok(Self { shared, _tasks: tasks })
    }
}

#[async_trait]
impl Broadcast for PostgresQueue {
    fn send(&self, nudge: Nudge) {
        self.shared.hub.tell(nudge);
        self.shared.outbox.push(nudge);
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        self.shared.hub.subscribe()
    }
}
