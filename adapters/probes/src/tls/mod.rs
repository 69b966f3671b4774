//! `healthcheck-tls.tls`: a handshake, and the certificate that was shown.

mod witness;
mod certificate;

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde_json::Value;
use tokio_rustls::TlsConnector;

use super::config;
use super::error::{ProbeError, SettingsError};
use super::strategy::{Connection, Finding, Strategy, Task};
use super::tcp;
use certificate::Certificate;
use witness::{Seen, Trust, Witness};

const CERTIFICATE: &str = "healthcheck-tls.certificate";

/// The strategy.
pub(crate) struct Tls {
    trust: Trust,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    host: String,
    #[serde(default = "https", deserialize_with = "config::port")]
    port: u16,
    servername: Option<String>,
    #[serde(default = "month", deserialize_with = "config::whole")]
    min_days_until_expiry: u64,
    #[serde(default = "yes")]
    reject_unauthorized: bool,
}

/// A peer that showed its certificate.
struct Shown {
    certificate: Certificate,
    min_days: u64,
}

impl Tls {
    /// Trusts `roots`.
    pub(crate) fn new(roots: &Arc<RootCertStore>) -> Result<Self, SettingsError> {
        Ok(Self { trust: Trust::new(roots)? })
    }
}

#[async_trait]
impl Strategy for Tls {
    fn id(&self) -> &'static str {
        "healthcheck-tls.tls"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &[CERTIFICATE]
    }

    /// A certificate that expires soon fails a check that has no collector, too.
    fn implied(&self, _config: &Value) -> Option<&'static str> {
        Some(CERTIFICATE)
    }

    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        let target: Target = config::read(config)?;
        let Seen { certificate, verdict } = handshake(&target, &self.trust, task).await?;
        if let Err(why) = verdict
            && target.reject_unauthorized
        {
            let Target { host, port, .. } = target;
            let why = format!("the certificate of {host} port {port} is not trusted: {why}");
            return Err(ProbeError::Failed(why));
        }
        let certificate = Certificate::read(&certificate)?;
        Ok(Box::new(Shown { certificate, min_days: target.min_days_until_expiry }))
    }
}

/// Shakes hands with whoever is there; what was shown is judged afterwards.
async fn handshake(target: &Target, trust: &Trust, task: &Task<'_>) -> Result<Seen, ProbeError> {
    let Target { host, port, servername, .. } = target;
    let name = servername.as_ref().unwrap_or(host).clone();
    let server = ServerName::try_from(name.clone())
        .map_err(|why| ProbeError::Config(format!("servername: {name:?}: {why}")))?;
    let failed =
        |why| ProbeError::Io { doing: format!("agree on TLS with {host} port {port}"), why };
    let witness = Arc::new(Witness::new(trust));
    let tls = ClientConfig::builder_with_provider(trust.provider())
        .with_safe_default_protocol_versions()
        .map_err(|why| ProbeError::Failed(format!("could not set up TLS: {why}")))?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let stream = tcp::connect(host, *port, task).await?;
    let shaking = TlsConnector::from(Arc::new(tls)).connect(server, stream);
    let what = || format!("the TLS handshake with {host} port {port}");
    let shaken = task.within(task.left(), what, shaking).await?;
    shaken.map_err(failed)?;
    let none = || ProbeError::Failed(format!("{host} port {port} showed no certificate"));
    witness.seen().ok_or_else(none)
}

#[async_trait]
impl Connection for Shown {
    async fn collect(
        &self,
        _collector: &'static str,
        _config: &Value,
        _task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        let Self { certificate, min_days } = self;
        let found = certificate.at(SystemTime::now());
        let soon = found.expires_before(*min_days);
        Ok(Finding::of(&found).failed(soon))
    }
}

fn https() -> u16 {
    443
}

fn month() -> u64 {
    30
}

fn yes() -> bool {
    true
}
