//! The queue as a whole: what its tasks share, and when they end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr, jetstream};
use async_trait::async_trait;
use groundcontrol_core::ports::{Broadcast, Nudge, NudgeStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::health::Health;
use crate::hub::Hub;
use crate::sender::Outbox;
use crate::settings::{NatsSettings, SettingsError};

/// How long opening waits for the first connection before it goes on without.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);
/// Nothing that is asked of the server takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A connection on which nothing came for two of these is given up.
const PING: Duration = Duration::from_secs(5);
/// The delay before a second attempt to connect; doubled with each further one …
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// Messages that wait to be heard before some are missed; each holds up to 1,024 nudges.
const MESSAGES: usize = 1024;

/// A member of the queue on NATS. Clones are the same member; its tasks end, and with them its
/// streams and its connection, when the last clone is dropped.
#[derive(Clone)]
pub struct NatsQueue {
    pub(crate) shared: Arc<Shared>,
    _tasks: Arc<Tasks>,
}

/// What callers and tasks share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) prefix: String,
    pub(crate) hub: Hub,
    pub(crate) outbox: Outbox,
    pub(crate) health: Health,
    /// Whether the stream for jobs has taken a message.
    pub(crate) has_stream: AtomicBool,
}

struct Tasks(Vec<AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl NatsQueue {
    /// Opens the queue and starts its tasks on the current runtime. Waits up to five seconds for
    /// the connection; where it takes longer, what is sent meanwhile waits, and who subscribed
    /// hears that it missed something.
    ///
    /// # Errors
    /// Where the settings cannot be used, not where NATS cannot be reached.
    pub async fn open(settings: &NatsSettings) -> Result<Self, SettingsError> {
        let (servers, options) = settings.resolve().await?;
        let (tell, changes) = mpsc::unbounded_channel();
        let client = connect(servers, options, tell).await?;
        let shared = Arc::new(Shared {
            jetstream: jetstream::new(client.clone()),
            client,
            prefix: settings.prefix.clone(),
            hub: Hub::new(),
            outbox: Outbox::default(),
            health: Health::new(),
            has_stream: AtomicBool::new(false),
        });
        let tasks = vec![
            tokio::spawn(shared.clone().hear(changes)).abort_handle(),
            tokio::spawn(shared.clone().send_waiting()).abort_handle(),
        ];
        let tasks = Arc::new(Tasks(tasks));
        // Neither a queue that is away nor a slow one keeps a pod from starting.
        let _ = timeout(FIRST_CONNECTION, shared.health.there()).await;
        Ok(Self { shared, _tasks: tasks })
    }
}

/// A connection for something else than the queue, made in the background, and again whenever it is
/// lost.
pub(crate) async fn connect_alone(settings: &NatsSettings) -> Result<Client, SettingsError> {
    let (servers, options) = settings.resolve().await?;
    let options = options
        .name("groundcontrol events")
        .retry_on_initial_connect()
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING)
        .reconnect_delay_callback(delay);
    let connected = options.connect(servers).await;
    connected.map_err(|error| SettingsError::Address { detail: error.to_string() })
}

/// Connects in the background, and again whenever the connection is lost.
async fn connect(
    servers: Vec<ServerAddr>,
    options: ConnectOptions,
    tell: mpsc::UnboundedSender<async_nats::Event>,
) -> Result<Client, SettingsError> {
    let options = options
        .name("groundcontrol")
        .no_echo()
        .retry_on_initial_connect()
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING)
        .subscription_capacity(MESSAGES)
        .reconnect_delay_callback(delay)
        .event_callback(move |event| {
            // Nobody hears what happens after the queue is closed.
            let _ = tell.send(event);
            std::future::ready(())
        });
    let connected = options.connect(servers).await;
    connected.map_err(|error| SettingsError::Address { detail: error.to_string() })
}

/// Grows with the attempts, and varies so that pods do not all come back together.
fn delay(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(2)).unwrap_or(u32::MAX).min(16);
    match attempts {
        0 | 1 => Duration::ZERO,
        _ => (FIRST_DELAY * 2_u32.pow(doublings))
            .min(LONGEST_DELAY)
            .mul_f64(rand::random_range(0.5..1.0)),
    }
}

#[async_trait]
impl Broadcast for NatsQueue {
    fn send(&self, nudge: Nudge) {
        self.shared.hub.tell(nudge);
        self.shared.outbox.push(nudge);
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        self.shared.hub.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_ten_seconds_and_begin_at_once() {
        assert_eq!(delay(1), Duration::ZERO);
        for (attempts, most) in [(2, 100), (3, 200), (4, 400), (20, 10_000), (usize::MAX, 10_000)] {
            let most = Duration::from_millis(most);
            assert!((most / 2..=most).contains(&delay(attempts)), "{attempts}");
        }
    }
}
