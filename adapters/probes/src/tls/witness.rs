//! Lets a handshake come to its end whoever the peer is, and remembers what it showed and whether
//! it would have been trusted.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::error::SettingsError;

/// Whom to trust.
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    /// None: nobody.
    judge: Option<Arc<WebPkiServerVerifier>>,
}

/// What a peer showed.
pub(super) struct Seen {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) verdict: Result<(), Error>,
}

/// Watches one handshake. No data is exchanged on its connection.
#[derive(Debug)]
pub(super) struct Witness {
    provider: Arc<CryptoProvider>,
    judge: Option<Arc<WebPkiServerVerifier>>,
    seen: Mutex<Option<Seen>>,
}

impl Trust {
    pub(super) fn new(roots: &Arc<RootCertStore>) -> Result<Self, SettingsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let judge = if roots.is_empty() {
            None
        } else {
            let builder =
                WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
            Some(builder.build().map_err(|why| Error::General(why.to_string()))?)
        };
        Ok(Self { provider, judge })
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }
}

impl Witness {
    pub(super) fn new(trust: &Trust) -> Self {
        let Trust { provider, judge } = trust;
        Self { provider: provider.clone(), judge: judge.clone(), seen: Mutex::new(None) }
    }

    /// What was shown, once.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.judge {
            Some(judge) => {
                judge.verify_server_cert(certificate, intermediates, name, ocsp, now).map(|_| ())
            }
            None => Err(Error::General("this machine trusts no certificate authority".to_owned())),
        };
        let seen = Seen { certificate: certificate.clone().into_owned(), verdict };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
