//! A client of Ground Control's HTTP API, for the command line and for programs in Rust.
//!
//! [`Client`] makes the calls, [`EventStream`] follows events across reconnects, and
//! [`ClientError`] says what went wrong and what to do next. The shapes are those of
//! [`groundcontrol_http::dto`].

mod error;
mod request;
mod satellites;
mod work;
mod automations;
mod packages;
mod secrets;
mod documents;
mod api_tokens;
mod sse;
mod events;
mod metrics;

pub use error::ClientError;
pub use events::{EventStream, StreamItem};
pub use metrics::ServerMetrics;
pub use request::Client;
pub use satellites::ListFilter;
pub use work::Kind;
