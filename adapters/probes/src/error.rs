//! What can go wrong, in words for whoever reads the result of a check.

use std::io;
use std::time::Duration;

/// Why a connection or a collector failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A setting is missing, of the wrong type or out of range.
    #[error("the configuration is wrong: {0}")]
    Config(String),
    /// The strategy has no such collector.
    #[error("{strategy} has no collector {collector:?}; it has {}", known.join(", "))]
    UnknownCollector {
        /// The strategy.
        strategy: &'static str,
        /// The collector that was asked for.
        collector: String,
        /// Those that there are.
        known: &'static [&'static str],
    },
    /// There was no answer in time.
    #[error("{what} took longer than {} ms", limit.as_millis())]
    TimedOut {
        /// What was being done.
        what: String,
        /// How long it was allowed to take.
        limit: Duration,
    },
    /// The network or the system refused.
    #[error("could not {doing}: {why}")]
    Io {
        /// What was being done, to what.
        doing: String,
        /// What the system said.
        why: io::Error,
    },
    /// It failed in another way.
    #[error("{0}")]
    Failed(String),
}

/// A check that this agent cannot run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unsupported {
    /// The strategy, as the check names it.
    pub strategy: String,
    /// What is missing.
    pub message: String,
}

/// Why no probes could be set up.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The HTTP client refused its settings.
    #[error("could not set up an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// The TLS library refused its own defaults.
    #[error("could not set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}
