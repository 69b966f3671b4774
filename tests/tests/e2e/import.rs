//! Satellites of a Checkstack database, and their agents with the tokens that they have.

use groundcontrol_testkit::server::{Agent, Satellite, Site, eventually};
use groundcontrol_testpostgres::Schema;
use serde_json::json;
use uuid::Uuid;

/// As Checkstack makes it, without the columns of later versions.
const TABLE: &str = "CREATE TABLE satellites (
    id text PRIMARY KEY, name text NOT NULL, region text NOT NULL, tags jsonb, token_hash text,
    last_heartbeat_at timestamptz, offline_threshold_ms integer, created_at timestamptz
)";
const TOKEN: &str = "csat_from_checkstack";

#[tokio::test]
async fn an_agent_of_checkstack_connects_with_the_token_that_it_has() {
    let site = Site::new();
    let checkstack = Schema::make().await;
    let id = Uuid::new_v4();
    let hash = bcrypt::hash(TOKEN, 4).expect("a token can be hashed");
    checkstack.run(TABLE).await;
    let row = format!(
        "INSERT INTO satellites VALUES ('{id}', 'Lima', 'sa', '{{\"tier\": \"edge\"}}', '{hash}', \
         now(), 60000, now())"
    );
    checkstack.run(&row).await;
    let (from, data) = (checkstack.url(), site.data().display().to_string());
    let import = ["import", "checkstack", "--from", &from, "--data-dir", &data];
    let shown = site.operate("http://127.0.0.1:1", &[&import[..], &["--dry-run"]].concat()).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.output.starts_with("+ satellite Lima\nWould take over 1"), "{shown:?}");
    assert!(!site.data().join("groundcontrol.db").exists(), "a dry run makes no database");
    let done = site.operate("http://127.0.0.1:1", &import).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.output.starts_with("+ satellite Lima\nTook over 1, changed 0"), "{done:?}");
    assert!(!done.output.contains("$2") && !done.errors.contains("$2"), "{done:?}");

    let server = site.serve().await;
    let api = site.api(&server);
    let lima = api.satellite(&id.to_string()).await;
    assert_eq!((&lima["status"], &lima["lastSeenAt"]), (&json!("offline"), &json!(null)));
    assert_eq!(
        (&lima["tags"]["tier"], &lima["offlineThresholdMs"]),
        (&json!("edge"), &json!(60_000))
    );
    let (name, token) = ("Lima".to_owned(), TOKEN.to_owned());
    let satellite = Satellite { id: id.to_string(), name, token };
    let agent = Agent::start(&site, server.url(), &satellite);
    eventually("the agent is online", async || {
        (api.status(&satellite.id).await == "online").then_some(())
    })
    .await;
    assert_eq!(agent.stop().await, Some(0));
    server.stop().await;

    let again = site.operate("http://127.0.0.1:1", &import).await;
    assert!(again.output.starts_with("Took over 0, changed 0; 1 are the same."), "{again:?}");
}
