//! TLS, with certificates that are reloaded when their files change.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::interval;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::config::TlsFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The certificate in force.
pub(super) struct Reloading {
    files: TlsFiles,
    /// When the files had changed last before they were read.
    loaded: [Option<SystemTime>; 2],
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

impl Reloading {
    /// Loads both files; an error names the one at fault.
    pub(super) fn load(files: &TlsFiles) -> anyhow::Result<Arc<Self>> {
        let loaded = changed_at(files);
        let current = Arc::new(Current(RwLock::new(Arc::new(certified(files)?))));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("this build has no TLS version that is safe")?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Arc::new(Self { files: files.clone(), loaded, current, acceptor }))
    }

    /// What turns a connection into a TLS connection.
    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Reloads when the files change, for as long as it is polled. A pair that does not fit is
    /// reported, and the old one stays.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut seen = self.loaded;
        let mut ticks = interval(LOOK);
        loop {
            ticks.tick().await;
            let now = changed_at(&self.files);
            if now == seen {
                continue;
            }
            seen = now;
            match certified(&self.files) {
                Ok(key) => {
                    *self.current.0.write() = Arc::new(key);
                    info!("the TLS certificate was reloaded");
                }
                Err(error) => warn!(error = format!("{error:#}"), "the old TLS certificate stays"),
            }
        }
    }
}

fn changed_at(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    [changed(&files.cert), changed(&files.key)]
}

fn certified(files: &TlsFiles) -> anyhow::Result<CertifiedKey> {
    let TlsFiles { cert, key } = files;
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("--tls-cert: cannot read certificates from {}", cert.display()))?;
    anyhow::ensure!(!chain.is_empty(), "--tls-cert: no certificate in {}", cert.display());
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("--tls-key: cannot read a private key from {}", key.display()))?;
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, private, &provider)
        .with_context(|| format!("{} and {} do not belong together", cert.display(), key.display()))
}
