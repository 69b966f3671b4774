//! The event stream, read as a client without a library would.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::api::Api;
use super::wait::within;

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// An open stream of events and signals.
pub struct EventStream {
    chunks: Chunks,
    buffer: String,
    ready: VecDeque<StreamItem>,
    position: Option<String>,
}

/// An event, or a signal where it has no id.
#[derive(Clone, Debug)]
pub struct StreamItem {
    /// What to resume after.
    pub id: Option<String>,
    /// The JSON object.
    pub data: Value,
}

impl EventStream {
    /// Opens the stream from now on, or after the event `last_event_id`. Once this returns,
    /// nothing that happens is missed.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub async fn open(api: &Api, last_event_id: Option<&str>) -> Self {
        let opened = within("the stream opens", Self::try_open(api, last_event_id)).await;
        opened.expect("it can be opened")
    }

    /// As [`open`](Self::open); none where it cannot be opened.
    pub async fn try_open(api: &Api, last_event_id: Option<&str>) -> Option<Self> {
        let mut request = api.request(Method::GET, "/api/v1/events");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let answer = request.send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let chunks = answer.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        let mut stream =
            Self { chunks, buffer: String::new(), ready: VecDeque::new(), position: None };
        // The server says where the stream stands once it is subscribed.
        while stream.position.is_none() {
            if !stream.read().await {
                return None;
            }
            stream.parse();
        }
        Some(stream)
    }

    /// What to resume after, so far.
    pub fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// The next event or signal; none where the server ended the stream.
    pub async fn next(&mut self) -> Option<StreamItem> {
        within("an event or signal comes", self.next_if_ever()).await
    }

    /// As [`next`](Self::next), however long it takes.
    pub async fn next_if_ever(&mut self) -> Option<StreamItem> {
        loop {
            self.parse();
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// The next event, signals apart.
    ///
    /// # Panics
    /// Where the stream ends before one comes.
    pub async fn event(&mut self) -> StreamItem {
        loop {
            let item = self.next().await.expect("the stream goes on");
            if item.id.is_some() {
                return item;
            }
        }
    }

    async fn read(&mut self) -> bool {
        match self.chunks.next().await {
            Some(Ok(bytes)) => {
                self.buffer.push_str(&String::from_utf8_lossy(&bytes));
                true
            }
            // A server that is killed ends the stream in the middle.
            Some(Err(_)) | None => false,
        }
    }

    fn parse(&mut self) {
        while let Some((block, rest)) = self.buffer.split_once("\n\n") {
            let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
            let id = field("id: ").map(str::to_owned);
            if let Some(data) = field("data: ") {
                let data = serde_json::from_str(data).expect("an event is JSON");
                self.ready.push_back(StreamItem { id: id.clone(), data });
            }
            self.position = id.or(self.position.take());
            self.buffer = rest.to_owned();
        }
    }
}

impl StreamItem {
    /// Its type, such as `satellite.connected`.
    pub fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap_or_default()
    }

    /// An event's seq.
    pub fn seq(&self) -> u64 {
        self.data["seq"].as_u64().unwrap_or_default()
    }
}
