//! The client of a vault, against a double that follows the published API.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, SecretAdapter};
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::SecretName;
use groundcontrol_secrets::{VaultAuth, VaultSecrets, VaultSettings};
use serde_json::json;

use crate::double::{self, Vault};

fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn settings(address: &str, auth: VaultAuth) -> VaultSettings {
    VaultSettings {
        address: address.to_owned(),
        tls: tls(),
        auth,
        mount: "kv".into(),
        path: "/team/app/".into(),
        field: "value".into(),
        namespace: None,
    }
}

fn open(address: &str, auth: VaultAuth) -> VaultSecrets {
    VaultSecrets::open(settings(address, auth)).unwrap()
}

fn root() -> VaultAuth {
    VaultAuth::Token("root".into())
}

struct Doubled {
    vault: Arc<Vault>,
    source: VaultSecrets,
}

#[async_trait]
impl SecretAdapter for Doubled {
    fn source(&self) -> &dyn SecretSource {
        &self.source
    }

    async fn set_outside(&self, name: &SecretName, value: Option<&str>) {
        let entries = &mut self.vault.state.lock().entries;
        match value {
            Some(value) => entries.insert(name.to_string(), json!({"value": value, "n": [1]})),
            None => entries.remove(name.as_str()),
        };
    }
}

fn wanted(name: &str) -> BTreeSet<SecretName> {
    BTreeSet::from([name.parse().unwrap()])
}

async fn ask(source: &VaultSecrets, name: &str) -> Result<String, SecretError> {
    let mut found = source.resolve(&wanted(name)).await?;
    Ok(found.pop_first().unwrap().1.expose().to_owned())
}

fn hold(vault: &Vault, name: &str) {
    vault.state.lock().entries.insert(name.to_owned(), json!({"value": "hush"}));
}

#[tokio::test]
async fn what_speaks_the_api_of_a_vault_is_a_source_of_secrets() {
    let make = || async {
        let (vault, address) = double::start().await;
        let source = open(&address, root());
        Fixture::<dyn SecretAdapter>::from(Arc::new(Doubled { vault, source }))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(30)))
    };
    conformance::secret_source(make).await.assert_passed();
}

#[tokio::test]
async fn a_sealed_vault_is_told_and_asked_again_the_next_time() {
    let (vault, address) = double::start().await;
    hold(&vault, "a");
    let source = open(&address, root());
    vault.state.lock().sealed = true;
    let error = ask(&source, "a").await.unwrap_err().to_string();
    assert!(error.contains("the vault is sealed"), "{error}");
    assert!(!error.contains("hush") && !error.contains("http"), "{error}");
    vault.state.lock().sealed = false;
    assert_eq!(ask(&source, "a").await.unwrap(), "hush");
}

#[tokio::test]
async fn a_vault_that_is_away_or_does_not_answer_is_told_in_time() {
    let (vault, address) = double::start().await;
    let begun = Instant::now();
    vault.state.lock().stalled = true;
    let error = ask(&open(&address, root()), "a").await.unwrap_err().to_string();
    assert!(error.contains("in time"), "{error}");
    let away = ask(&open("http://127.0.0.1:9", root()), "a").await.unwrap_err().to_string();
    assert!(away.contains("cannot be reached") && !away.contains("127.0.0.1"), "{away}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

fn file(text: &str) -> (tempfile::NamedTempFile, PathBuf) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{text}\n")).unwrap();
    let path = file.path().to_owned();
    (file, path)
}

#[tokio::test]
async fn an_app_role_logs_in_once_and_again_when_its_token_is_revoked() {
    let (vault, address) = double::start().await;
    hold(&vault, "a");
    let (_kept, secret_id_file) = file("sesame");
    let auth =
        VaultAuth::AppRole { mount: "approle".into(), role_id: "role".into(), secret_id_file };
    let source = open(&address, auth);
    for _ in 0..3 {
        assert_eq!(ask(&source, "a").await.unwrap(), "hush");
    }
    assert_eq!(vault.state.lock().logins, 1);
    vault.state.lock().tokens.clear();
    assert_eq!(ask(&source, "a").await.unwrap(), "hush");
    assert_eq!(vault.state.lock().logins, 2);
}

#[tokio::test]
async fn a_service_account_of_kubernetes_logs_in_with_its_token() {
    let (vault, address) = double::start().await;
    hold(&vault, "a");
    let (_kept, token_file) = file("a.jwt");
    let auth =
        VaultAuth::Kubernetes { mount: "kubernetes".into(), role: "role".into(), token_file };
    assert_eq!(ask(&open(&address, auth), "a").await.unwrap(), "hush");
}

#[tokio::test]
async fn a_token_is_renewed_before_its_lease_ends_and_a_refused_one_is_told() {
    let (vault, address) = double::start().await;
    hold(&vault, "a");
    vault.state.lock().lease = 2;
    let source = open(&address, root());
    let begun = Instant::now();
    while vault.state.lock().renewals == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "never renewed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&source, "a").await.unwrap(), "hush");
    let stranger = open(&address, VaultAuth::Token("stranger".into()));
    let error = ask(&stranger, "a").await.unwrap_err().to_string();
    assert!(error.contains("token") && !error.contains("stranger"), "{error}");
}

#[tokio::test]
async fn an_entry_without_text_in_its_field_is_unusable() {
    let (vault, address) = double::start().await;
    let odd = [("other", json!({"key": "hush"})), ("number", json!({"value": 1}))];
    for (name, entry) in odd {
        vault.state.lock().entries.insert(name.to_owned(), entry);
        let answer = ask(&open(&address, root()), name).await;
        assert!(matches!(answer, Err(SecretError::Unusable { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn an_address_that_holds_more_than_a_place_is_refused() {
    for odd in ["vault", "ftp://v", "https://me:hush@v", "https://v/?token=hush"] {
        let error = VaultSecrets::open(settings(odd, root())).err().unwrap().to_string();
        assert!(!error.contains("hush"), "{error}");
    }
}
