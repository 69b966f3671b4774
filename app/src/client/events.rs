//! The event stream, followed across reconnects.

use std::collections::VecDeque;
use std::time::Duration;

use groundcontrol_core::limits::{RECONNECT_FIRST, RECONNECT_MOST};
use reqwest::Response;
use reqwest::header::ACCEPT;
use tokio::time::{Instant, sleep_until, timeout};

use super::error::ClientError;
use super::request::Client;
use super::sse::{Parser, SseMessage};
use crate::agent::Backoff;

/// A server says something at least every 15 seconds, if only a comment. After three of those
/// the stream counts as broken.
const SILENCE: Duration = Duration::from_secs(45);

/// Follows events: connects again when the stream breaks, and resumes after the last event that
/// was seen, so that none is missed.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    last_id: Option<String>,
    open: Option<Response>,
    parser: Parser,
    waiting: VecDeque<SseMessage>,
    backoff: Backoff,
    retry_at: Option<Instant>,
    silence: Duration,
}

/// What a stream has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamItem {
    /// The stream is open (again): what follows is current.
    Live {
        /// Events after this one follow; none: from now on.
        after: Option<String>,
    },
    /// An event, which has an id, or a signal, which has none.
    Message {
        /// Its place, to resume after.
        id: Option<String>,
        /// Its JSON.
        data: String,
    },
    /// The stream broke: what is shown may be out of date until the next `Live`.
    Stale {
        /// Why.
        why: String,
        /// The next attempt follows after this time.
        retry_in: Duration,
        /// Whether it will go on behind the last event; not so before the first was seen.
        resumes: bool,
    },
}

impl EventStream {
    /// Events after the one with the id `since`; without it, from now on.
    pub fn new(client: Client, since: Option<String>) -> Self {
        Self {
            client,
            last_id: since,
            open: None,
            parser: Parser::default(),
            waiting: VecDeque::new(),
            backoff: Backoff::new(RECONNECT_FIRST.into(), RECONNECT_MOST.into()),
            retry_at: None,
            silence: SILENCE,
        }
    }

    /// The same, with another delay before the first reconnect and another limit of silence.
    #[must_use]
    pub fn with_patience(mut self, first_delay: Duration, silence: Duration) -> Self {
        self.backoff = Backoff::new(first_delay, RECONNECT_MOST.into());
        self.silence = silence;
        self
    }

    /// What comes next. Waits; ends only with an error that trying again cannot mend. Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Result<StreamItem, ClientError> {
        loop {
            if let Some(SseMessage { id, data }) = self.waiting.pop_front() {
                if id.is_some() {
                    self.last_id.clone_from(&id);
                }
                if data.is_empty() {
                    continue;
                }
                return Ok(StreamItem::Message { id, data });
            }
            if self.open.is_none() {
                return self.connect().await;
            }
            if let Err(why) = self.read().await {
                self.open = None;
                return Ok(self.stale(why));
            }
        }
    }

    async fn connect(&mut self) -> Result<StreamItem, ClientError> {
        if let Some(at) = self.retry_at {
            sleep_until(at).await;
        }
        let mut request = self.client.get("/api/v1/events").header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let opened = timeout(self.silence, self.client.send("follow the events", request)).await;
        match opened {
            Ok(Ok(answer)) => {
                self.open = Some(answer);
                self.parser = Parser::default();
                self.backoff.reset();
                Ok(StreamItem::Live { after: self.last_id.clone() })
            }
            Ok(Err(error)) if error.is_final() => Err(error),
            Ok(Err(error)) => Ok(self.stale(error.to_string())),
            Err(_) => Ok(self.stale("the server did not answer in time".to_owned())),
        }
    }

    async fn read(&mut self) -> Result<(), String> {
        let Some(answer) = &mut self.open else { return Ok(()) };
        match timeout(self.silence, answer.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.parser.push(&bytes, &mut self.waiting).map_err(|why| why.to_string())
            }
            Ok(Ok(None)) => Err("the server ended it".to_owned()),
            Ok(Err(error)) => Err(self.client.unreachable(&error).to_string()),
            Err(_) => Err("the server fell silent".to_owned()),
        }
    }

    fn stale(&mut self, why: String) -> StreamItem {
        let retry_in = self.backoff.next(rand::random());
        self.retry_at = Some(Instant::now() + retry_in);
        StreamItem::Stale { why, retry_in, resumes: self.last_id.is_some() }
    }
}
