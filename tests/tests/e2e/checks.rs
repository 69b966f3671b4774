//! Work as operators order it and real agents do it.

use groundcontrol_testkit::server::{Agent, Api, Site, eventually, within};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn make(api: &Api, path: &str, body: Value) -> Value {
    api.post(path, &body).await.expect(StatusCode::CREATED)["id"].clone()
}

#[tokio::test]
async fn a_check_that_is_made_over_the_api_is_run_by_a_real_agent() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    eventually("the agent is online", async || {
        (api.status(&satellite.id).await == "online").then_some(())
    })
    .await;
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = target.local_addr().unwrap().port();
    let system = make(&api, "/api/v1/systems", json!({"name": "target"})).await;
    let check = json!({
        "name": "it listens", "strategyId": "healthcheck-tcp.tcp", "intervalSeconds": 1,
        "config": {"host": "127.0.0.1", "port": port},
    });
    let check = make(&api, "/api/v1/checks", check).await;
    let order = json!({"checkId": check, "systemId": system, "satelliteIds": [satellite.id]});
    make(&api, "/api/v1/assignments", order).await;
    for _ in 0..2 {
        within("the agent connects to what it checks", target.accept()).await.unwrap();
    }
    assert_eq!(agent.stop().await, Some(0));
}
