//! Structured logs on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Libraries that would log, at their finest levels, what crosses the wire: tokens too.
const TALKATIVE: &[&str] = &["tungstenite=info", "tokio_tungstenite=info"];

/// Installs the log for the whole process.
pub fn install(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(filter)
        .with_context(|| format!("--log {filter:?} is not a filter; try info or warn"))?;
    for directive in TALKATIVE {
        filter = filter.add_directive(directive.parse().context("a directive of our own")?);
    }
    // A log that cannot be written, on a full disk, must not end what it would tell of.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let installed = match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("cannot install the log: {error}"))
}
