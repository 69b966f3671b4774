//! How events are written down for others.

use crate::automation::{ContentMode, Notice};

/// Writes events as CloudEvents 1.0. One place for all who send them: the event stream, webhooks and
/// event sinks.
pub trait EventEncoder: Send + Sync {
    /// `event` as it goes over the wire; an error where it cannot be written, which is a mistake of
    /// the encoder.
    fn encode(&self, notice: &Notice, mode: ContentMode) -> Result<EncodedEvent, String>;
}

/// An event as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedEvent {
    /// The media type of the body.
    pub content_type: &'static str,
    /// The attributes that are not in the body: none in structured mode. Names without a prefix.
    pub attributes: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}
