//! The side of the satellite: keeps one connection to Ground Control alive, and runs checks.
//!
//! [`run`] is the whole agent. [`Endpoint`] and [`client_config`] say where and whom to trust,
//! [`Backoff`] when to dial again, [`Exit`] how it ends. `work` runs the checks that the server
//! assigns, and keeps their results until the server has them; `packages` keeps what scripts import.

mod backoff;
mod endpoint;
mod tls;
mod dial;
mod settings;
pub(crate) mod dialogue;
mod session;
mod work;
mod packages;
mod run;
#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use dial::{Dial, DialError, Network, Stream};
pub use endpoint::{Endpoint, EndpointError};
pub use run::{Settings, run};
pub use settings::{Exit, Identity, Timing};
pub use tls::{TlsError, client_config, roots};
pub use work::{CONCURRENCY, SettingsError, WorkSettings};
