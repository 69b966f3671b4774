//! The side of the satellite: keeps one connection to Ground Control alive.
//!
//! [`run`] is the whole agent. [`Endpoint`] and [`client_config`] say where and whom to trust,
//! [`Backoff`] when to dial again, [`Exit`] how it ends. Assignments are received and left alone:
//! this agent runs no checks, and says so in its log.

mod backoff;
mod endpoint;
mod tls;
mod dial;
mod settings;
pub(crate) mod dialogue;
mod session;
mod run;
#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use dial::{Dial, DialError, Network, Stream};
pub use endpoint::{Endpoint, EndpointError};
pub use run::{Settings, run, run_with};
pub use settings::{Exit, Identity, Timing};
pub use tls::{TlsError, client_config};
