//! Hearing the other pods, and what becomes of the connection.

use std::sync::Arc;

use async_nats::client::RequestErrorKind;
use async_nats::{Event, Subscriber};
use futures_util::StreamExt as _;
use groundcontrol_core::ports::{Nudge, nudges_in};
use tokio::sync::mpsc;

use crate::queue::Shared;

impl Shared {
    pub(crate) fn subject(&self) -> String {
        format!("{}.nudges", self.prefix)
    }

    /// The task that hears the other members, and about the connection.
    pub(crate) async fn hear(self: Arc<Self>, mut changes: mpsc::UnboundedReceiver<Event>) {
        let mut heard = match self.client.subscribe(self.subject()).await {
            Ok(heard) => heard,
            Err(error) => return self.health.failed(&error),
        };
        loop {
            tokio::select! {
                // What happened to the connection says what the messages are worth.
                biased;
                change = changes.recv() => match change {
                    Some(change) => self.changed(change, &mut heard).await,
                    None => return,
                },
                message = heard.next() => match message {
                    Some(message) => self.tell(&message.payload),
                    None => return,
                },
            }
        }
    }

    fn tell(&self, payload: &[u8]) {
        match std::str::from_utf8(payload) {
            Ok(text) => nudges_in(text).for_each(|nudge| self.hub.tell(nudge)),
            Err(_) => self.hub.tell(Nudge::Missed),
        }
    }

    async fn changed(&self, change: Event, heard: &mut Subscriber) {
        match change {
            Event::Connected => {
                // Once anything is answered, the server has the subscription too.
                if let Err(error) = self.round_trip(heard).await {
                    return self.health.failed(&error);
                }
                self.hub.tell(Nudge::Missed);
                if self.health.works() {
                    // This pod's last words before the break may have been lost.
                    self.outbox.push(Nudge::Missed);
                }
            }
            Event::SlowConsumer(_) => self.hub.tell(Nudge::Missed),
            Event::Disconnected | Event::Closed => self.health.failed(&change),
            Event::ClientError(_) | Event::ServerError(_) => {
                if self.client.connection_state() != async_nats::connection::State::Connected {
                    self.health.failed(&change);
                } else {
                    tracing::warn!(error = %change, "NATS complains");
                }
            }
            Event::LameDuckMode | Event::Draining => {}
        }
    }

    /// Asks something that nobody answers but the server, who says that nobody does.
    async fn round_trip(&self, heard: &mut Subscriber) -> Result<(), async_nats::RequestError> {
        let asked = self.client.request(format!("{}.nobody", self.prefix), "".into());
        tokio::pin!(asked);
        loop {
            tokio::select! {
                answer = &mut asked => return match answer {
                    Ok(_) => Ok(()),
                    Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
                    Err(error) => Err(error),
                },
                Some(message) = heard.next() => self.tell(&message.payload),
            }
        }
    }
}
