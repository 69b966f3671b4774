//! All events, on a subject of NATS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::connection::State;
use async_nats::{Client, HeaderMap, Subscriber, jetstream};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use groundcontrol_core::automation::{ContentMode, Notice};
use groundcontrol_core::ports::{EventEncoder, EventSink, SinkError, SinkEvent, SinkName};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::queue::{PATIENCE, connect_alone};
use crate::settings::{NatsSettings, SettingsError};

/// The header by which JetStream knows a repetition.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// A subject, and who vouches that events arrived there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSubject {
    /// The subject, without wildcards.
    pub subject: String,
    /// True: a JetStream stream that takes the subject must store each event. False: the server
    /// must have it, and whoever subscribes at that moment hears it.
    pub jetstream: bool,
}

/// Events on a subject of NATS, as CloudEvents in structured JSON, with the event's id as
/// `Nats-Msg-Id`.
pub struct NatsSink {
    client: Client,
    jetstream: jetstream::Context,
    to: SinkSubject,
    encoder: Arc<dyn EventEncoder>,
    /// One page at a time, so that pages keep their order.
    echo: Mutex<Echo>,
}

/// What comes back from the server once it has all that was sent before.
struct Echo {
    inbox: String,
    subscriber: Option<Subscriber>,
    next: AtomicU64,
}

impl SinkSubject {
    /// Whether events can be published to the subject.
    pub fn is_valid(&self) -> bool {
        let subject = &self.subject;
        let token = |token: &str| {
            !token.is_empty()
                && token.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"*>".contains(c))
        };
        subject.len() <= 255 && subject.split('.').all(token) && !subject.starts_with('$')
    }
}

impl NatsSink {
    /// A sink with a connection of its own, which is made in the background.
    ///
    /// # Errors
    /// Where the settings cannot be used, not where NATS cannot be reached.
    pub async fn open(
        settings: &NatsSettings,
        to: SinkSubject,
        encoder: Arc<dyn EventEncoder>,
    ) -> Result<Self, SettingsError> {
        if !to.is_valid() {
            return Err(SettingsError::Subject(to.subject));
        }
        let client = connect_alone(settings).await?;
        let echo = Echo { inbox: client.new_inbox(), subscriber: None, next: AtomicU64::new(1) };
        let jetstream = jetstream::new(client.clone());
        Ok(Self { jetstream, client, to, encoder, echo: Mutex::new(echo) })
    }

    fn failed(&self, detail: impl ToString) -> SinkError {
        SinkError { sink: self.name(), detail: detail.to_string() }
    }

    /// What an event is as a message.
    fn message(&self, event: &SinkEvent) -> Result<(HeaderMap, Vec<u8>), SinkError> {
        let notice = Notice::Event(event.event.clone());
        let encoded = self.encoder.encode(&notice, ContentMode::Structured);
        let encoded = encoded.map_err(|why| self.failed(why))?;
        let mut headers = HeaderMap::new();
        headers.insert(MESSAGE_ID, notice.id().as_str());
        headers.insert("content-type", encoded.content_type);
        Ok((headers, encoded.body))
    }

    /// Each event is stored by a stream.
    async fn store(&self, events: &[SinkEvent]) -> Result<(), SinkError> {
        for event in events {
            let (headers, body) = self.message(event)?;
            let subject = self.to.subject.clone();
            let sent = self.jetstream.publish_with_headers(subject, headers, body.into()).await;
            let ack = sent.map_err(|why| self.failed(why))?;
            // One after the other: a stream forgets a repetition, so what it stored ahead of an
            // event that it refused would stay ahead of it.
            ack.await.map_err(|why| {
                self.failed(format!("no stream stored an event on {}: {why}", self.to.subject))
            })?;
        }
        Ok(())
    }

    /// The server has each event: what was sent after them came back.
    async fn send(&self, events: &[SinkEvent], echo: &mut Echo) -> Result<(), SinkError> {
        let connects = || self.client.statistics().connects.load(Ordering::Relaxed);
        let before = connects();
        for event in events {
            let (headers, body) = self.message(event)?;
            let subject = self.to.subject.clone();
            let sent = self.client.publish_with_headers(subject, headers, body.into()).await;
            sent.map_err(|why| self.failed(why))?;
        }
        let subscriber = match &mut echo.subscriber {
            Some(subscriber) => subscriber,
            none => {
                let made = self.client.subscribe(echo.inbox.clone()).await;
                none.insert(made.map_err(|why| self.failed(why))?)
            }
        };
        let mark = echo.next.fetch_add(1, Ordering::Relaxed).to_string();
        let sent = self.client.publish(echo.inbox.clone(), mark.clone().into()).await;
        sent.map_err(|why| self.failed(why))?;
        while let Some(message) = subscriber.next().await {
            if message.payload == mark.as_bytes() {
                // What a connection had not sent yet is lost with it.
                return match connects() == before {
                    true => Ok(()),
                    false => Err(self.failed("the connection was lost meanwhile")),
                };
            }
        }
        echo.subscriber = None;
        Err(self.failed("the connection was closed"))
    }
}

#[async_trait]
impl EventSink for NatsSink {
    fn name(&self) -> SinkName {
        SinkName::new(&format!("nats/{}", self.to.subject))
    }

    async fn take(&self, events: &[SinkEvent]) -> Result<(), SinkError> {
        // Nothing piles up in a connection that is not there.
        if self.client.connection_state() != State::Connected {
            return Err(self.failed("NATS is not connected"));
        }
        let mut echo = self.echo.lock().await;
        if self.to.jetstream {
            // Each of its answers has an end of its own.
            return self.store(events).await;
        }
        let taken = timeout(PATIENCE, self.send(events, &mut echo));
        taken.await.unwrap_or_else(|_| Err(self.failed("NATS does not answer")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(subject: &str) -> SinkSubject {
        SinkSubject { subject: subject.to_owned(), jetstream: false }
    }

    #[test]
    fn a_subject_that_only_subscribers_can_use_is_none() {
        for subject in ["events", "fleet.events-1", "a.b.c"] {
            assert!(to(subject).is_valid(), "{subject}");
        }
        for subject in ["", ".", "a.", "a..b", "a.*", "a.>", "a b", "$JS.API", "a\u{7}"] {
            assert!(!to(subject).is_valid(), "{subject}");
        }
    }
}
