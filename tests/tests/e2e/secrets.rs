//! Secrets for the checks of satellites: asked for by place, delivered, on record, never shown.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use groundcontrol_testkit::server::{Agent, Api, Said, Site, Socket, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const HUSH: &str = "hush-0123456789";

/// A site whose server has the secret `key` in a folder.
fn site() -> (Site, String) {
    let site = Site::new();
    site.keep_secret(HUSH);
    let folder = site.folder().join("secrets");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("key"), format!("{HUSH}\n")).unwrap();
    let source = format!("dir:{}", folder.display());
    (site, source)
}

async fn make(api: &Api, path: &str, body: Value) -> Value {
    api.post(path, &body).await.expect(StatusCode::CREATED)["id"].clone()
}

/// A check with one script, assigned to a satellite; answers the check's id.
async fn assign(api: &Api, satellite: &str, script: Value) -> String {
    let system = make(api, "/api/v1/systems", json!({"name": "target"})).await;
    let collector =
        json!({"id": "first", "collectorId": "healthcheck-script.execute", "config": script});
    let check = json!({
        "name": "with a secret", "strategyId": "healthcheck-script.script", "intervalSeconds": 1,
        "config": {}, "collectors": [collector],
    });
    let check = make(api, "/api/v1/checks", check).await;
    let order = json!({"checkId": check, "systemId": system, "satelliteIds": [satellite]});
    make(api, "/api/v1/assignments", order).await;
    check.as_str().unwrap().to_owned()
}

async fn deliveries(api: &Api) -> Vec<Value> {
    let page = api.get("/api/v1/secret-deliveries").await.expect(StatusCode::OK);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_script_gets_its_secret_its_output_is_masked_and_the_delivery_is_on_record() {
    let (site, source) = site();
    let server = site.serve_with(&["--secrets", &source]).await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let script = json!({
        "command": "sh", "args": ["-c", "echo \"got $KEY of ${#KEY}\""],
        "secretEnv": {"KEY": "${{ secrets.key }}"},
    });
    let check = assign(&api, &satellite.id, script).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    let run = eventually("a run is reported", async || {
        let page = api.get("/api/v1/results").await.expect(StatusCode::OK);
        page["items"].as_array().unwrap().first().cloned()
    })
    .await;
    let shown = run.to_string();
    assert!(!shown.contains(HUSH), "{shown}");
    assert!(shown.contains(&format!("of {}", HUSH.len())), "{shown}");
    let delivery = deliveries(&api).await.pop().expect("a delivery");
    assert_eq!(delivery["satelliteId"], satellite.id.as_str());
    assert_eq!((&delivery["configId"], &delivery["collectorId"]), (&json!(check), &json!("first")));
    assert_eq!((&delivery["names"], &delivery["delivered"]), (&json!(["key"]), &json!(true)));
    assert_eq!(agent.stop().await, Some(0));
}

/// What a satellite that speaks the protocol by itself is answered.
async fn ask(socket: &mut Socket, message: Value) -> Value {
    socket.send(message).await;
    loop {
        match socket.next().await {
            Said::Message(said) if said["requestId"].is_string() => return said,
            Said::Message(_) => {}
            Said::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

fn request(config: &str, collector: &str) -> Value {
    json!({"type": "request_run_secrets", "requestId": "q", "configId": config,
        "collectorId": collector, "runId": "r"})
}

#[tokio::test]
async fn a_satellite_gets_what_its_own_assignments_declare_and_nothing_else() {
    let (site, source) = site();
    let server = site.serve_with(&["--secrets", &source]).await;
    let api = site.api(&server);
    let (own, other) = (api.create(&site).await, api.create(&site).await);
    let script = json!({
        "command": "true", "token": "Bearer ${{ secrets.key }}",
        "secretEnv": {"KEY": "${{ secrets.key }}", "PLAIN": "x"},
    });
    let check = assign(&api, &own.id, script).await;
    let mut socket = Socket::connect(&server, &own).await;
    let said = ask(&mut socket, request(&check, "healthcheck-script.execute")).await;
    assert_eq!(said["env"], json!({"KEY": HUSH, "PLAIN": "x"}));
    let inside = json!({"type": "request_config_secrets", "requestId": "q", "configId": check,
        "runId": "r"});
    let said = ask(&mut socket, inside).await;
    assert_eq!(said["collectors"], json!({"first": {"token": format!("Bearer {HUSH}")}}));
    let said = ask(&mut socket, request(&check, "unknown")).await;
    let missing = format!("Collector \"unknown\" not found in assignment \"{check}\".");
    assert_eq!(said["error"], missing);

    let mut stranger = Socket::connect(&server, &other).await;
    let said = ask(&mut stranger, request(&check, "first")).await;
    let refused = format!("No assignment \"{check}\" for this satellite; cannot deliver secrets.");
    assert_eq!((&said["error"], said.get("env")), (&json!(refused), None));

    std::fs::remove_file(site.folder().join("secrets/key")).unwrap();
    let said = ask(&mut socket, request(&check, "first")).await;
    assert_eq!(said["error"], "Secret not found: key");

    let outcomes: Vec<_> = deliveries(&api).await.iter().map(|d| d["delivered"].clone()).collect();
    assert_eq!(outcomes, [false, false, false, true, true]);
    let database = std::fs::read(site.data().join("groundcontrol.db")).unwrap();
    let log = std::fs::read(site.data().join("groundcontrol.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(!bytes.windows(HUSH.len()).any(|part| part == HUSH.as_bytes()));
    }
    assert!(!api.get("/metrics").await.body.to_string().contains(HUSH));
}

#[tokio::test]
async fn a_secret_that_is_set_over_the_api_is_sealed_and_delivered() {
    let (site, _) = site();
    let key = site.folder().join("key");
    std::fs::write(&key, "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let key = key.display().to_string();
    let server = site.serve_with(&["--secrets", "sealed", "--secrets-key-file", &key]).await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let put = api.request(Method::PUT, "/api/v1/secrets/key").json(&json!({"value": HUSH}));
    let put = api.send(put).await;
    assert_eq!(put.status, StatusCode::NO_CONTENT);
    let listed = api.get("/api/v1/secrets").await.expect(StatusCode::OK);
    assert_eq!(listed, json!({"items": [{"name": "key"}]}));
    let script = json!({"command": "true", "secretEnv": {"KEY": "${{ secrets.key }}"}});
    let check = assign(&api, &satellite.id, script).await;
    let mut socket = Socket::connect(&server, &satellite).await;
    let said = ask(&mut socket, request(&check, "first")).await;
    assert_eq!(said["env"], json!({"KEY": HUSH}));
    let wal = std::fs::read(site.data().join("groundcontrol.db-wal")).unwrap_or_default();
    assert!(!wal.windows(HUSH.len()).any(|part| part == HUSH.as_bytes()));
}
