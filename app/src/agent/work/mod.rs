//! The checks that a satellite runs: what is ordered, when it runs, and how its results reach the
//! server, whatever becomes of the connection.
//!
//! [`Schedule`](schedule::Schedule) and [`Outbox`](outbox::Outbox) decide, without a clock;
//! [`Runner`](runner::Runner) does; the [`Desk`](desk::Desk) lies between it and the connection.

mod schedule;
mod outbox;
mod job;
mod secrets;
mod desk;
mod runner;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use groundcontrol_probes::Probes;
use rustls::RootCertStore;

pub(crate) use desk::{Desk, NoAnswer, Orders};
pub(crate) use runner::Runner;

/// What an agent may use for its checks.
#[derive(Clone, Debug)]
pub struct WorkSettings {
    /// The most checks that run at the same time: 32.
    pub concurrency: NonZeroUsize,
    /// Whose certificates checks trust.
    pub roots: RootCertStore,
    /// The program that runs JavaScript; by default the first of bun, deno and node on the path.
    pub javascript: Option<PathBuf>,
    /// The folder where script packages are kept, below which scripts can import them.
    pub packages: Option<PathBuf>,
}

/// Why an agent cannot run checks.
pub use groundcontrol_probes::SettingsError;

/// Checks that run at the same time, by default.
pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

impl WorkSettings {
    pub(crate) fn probes(&self) -> Result<Arc<Probes>, SettingsError> {
        let Self { roots, javascript, packages, .. } = self.clone();
        let settings = groundcontrol_probes::Settings { roots, javascript, packages };
        Probes::new(settings).map(Arc::new)
    }
}
