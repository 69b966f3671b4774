//! Figures for a monitoring system.

use std::sync::OnceLock;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder of the process and answers how its figures are shown.
pub(super) fn install() -> anyhow::Result<impl Fn() -> String + Send + Sync + Clone + 'static> {
    let handle = match HANDLE.get() {
        Some(handle) => handle.clone(),
        None => {
            let handle = PrometheusBuilder::new()
                .install_recorder()
                .context("cannot install the recorder of metrics")?;
            HANDLE.get_or_init(|| handle).clone()
        }
    };
    let process = Collector::default();
    process.describe();
    Ok(move || {
        process.collect();
        handle.run_upkeep();
        handle.render()
    })
}
