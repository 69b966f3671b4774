//! Who a pod is to NATS, and how it knows that it talks to NATS.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{hears_all, within};
use groundcontrol_core::ports::{Broadcast as _, Nudge};
use groundcontrol_nats::{NatsQueue, NatsSettings, TlsClient};
use groundcontrol_testnats::Server;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// Whether two members with these settings hear each other.
async fn meet(settings: NatsSettings) {
    let open = || async { NatsQueue::open(&settings).await.expect("the settings can be used") };
    let (here, there) = (open().await, open().await);
    let mut stream = there.subscribe().await;
    here.send(Nudge::Events);
    hears_all(&mut stream, &[Nudge::Events]).await;
}

fn with_user(server: &Server, user: &str) -> NatsSettings {
    NatsSettings::new(server.url().replace("nats://", &format!("nats://{user}@")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_a_password_is_let_in() {
    let server = Server::with(r#"authorization { user: "pod", password: "p@ss:word" }"#);
    meet(with_user(&server, "pod:p%40ss%3Aword")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_let_in() {
    let server = Server::with(r#"authorization { token: "secret" }"#);
    meet(with_user(&server, "secret")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_keeps_trying_and_holds_nobody_up() {
    let server = Server::with(r#"authorization { token: "secret" }"#);
    let queue = NatsQueue::open(&with_user(&server, "wrong")).await;
    let queue = queue.expect("that is known only once NATS is asked");
    let mut stream = queue.subscribe().await;
    queue.send(Nudge::Events);
    assert_eq!(within("a nudge", stream.next()).await, Some(Nudge::Events));
    let tries = || server.log().matches("authentication error").count();
    within("another attempt", async {
        while tries() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(!server.log().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credentials_file_is_let_in() {
    let (operator, account, user) =
        (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let unlimited = json!({"subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1,
        "data": -1, "payload": -1, "wildcards": true});
    let of_operator = jwt(&operator, &operator, json!({"type": "operator", "version": 2}));
    let account_claims = json!({"type": "account", "version": 2, "limits": unlimited});
    let of_account = jwt(&operator, &account, account_claims);
    let user_claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let of_user = jwt(&account, &user, user_claims);
    let server = Server::with(&format!(
        "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}\n\
         jetstream: disabled",
        account.public_key()
    ));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("pod.creds");
    let seed = user.seed().expect("a new user has a seed");
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&file, text).expect("a file can be written");
    meet(NatsSettings { credentials: Some(file), ..NatsSettings::new(server.url()) }).await;
}

/// What `issuer` says of `subject`, signed.
fn jwt(issuer: &KeyPair, subject: &KeyPair, claims: Value) -> String {
    let said = json!({"jti": "test", "iat": 1_700_000_000, "iss": issuer.public_key(),
        "name": "test", "sub": subject.public_key(), "nats": claims});
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"typ": "JWT", "alg": "ed25519-nkey"}));
    let body = format!("{head}.{}", part(said));
    let signature = issuer.sign(body.as_bytes()).expect("a new key can sign");
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_each_side_knows_the_other_by_its_certificate() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let put = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    };
    let key = || rcgen::KeyPair::generate().expect("a key can be made");
    let authority_key = key();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&authority_key).expect("it can be signed");
    let issuer = rcgen::Issuer::new(parameters, authority_key);
    let issue = |name: &str| {
        let names = vec!["127.0.0.1".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names).expect("names are valid");
        parameters.extended_key_usages = vec![
            rcgen::ExtendedKeyUsagePurpose::ServerAuth,
            rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = key();
        let certificate = parameters.signed_by(&key, &issuer).expect("it can be signed");
        (
            put(&format!("{name}.pem"), certificate.pem()),
            put(&format!("{name}.key"), key.serialize_pem()),
        )
    };
    let authorities = put("authorities.pem", authority.pem());
    let (of_server, key_of_server) = issue("server");
    let (certificate, key) = issue("pod");
    let server = Server::with(&format!(
        "tls {{ cert_file: {of_server:?}, key_file: {key_of_server:?}, ca_file: {authorities:?}, \
         verify: true }}"
    ));
    let url = server.url().replace("nats://", "tls://");
    let trusting = NatsSettings {
        authorities: Some(authorities),
        client: Some(TlsClient { certificate, key }),
        ..NatsSettings::new(url.as_str())
    };
    meet(trusting.clone()).await;
    let stranger = NatsQueue::open(&NatsSettings { authorities: None, ..trusting.clone() }).await;
    let stranger = stranger.expect("that is known only once NATS is asked");
    let member = NatsQueue::open(&trusting).await.expect("the settings can be used");
    let mut stream = stranger.subscribe().await;
    member.send(Nudge::Events);
    stranger.send(Nudge::Missed);
    assert_eq!(within("its own nudge", stream.next()).await, Some(Nudge::Missed));
}
