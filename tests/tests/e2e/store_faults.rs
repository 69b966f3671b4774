//! A disk that is full: nothing is acknowledged that is not stored, and service returns.

use groundcontrol_testkit::server::{Beating, Said, Site, Socket, edges, eventually};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let site = Site::new();
    let server = site.serve_on_limited_disk().await;
    let api = site.api(&server);
    let (first, second) = (api.create(&site).await, api.create(&site).await);
    let _beating = Beating::new(Socket::connect(&server, &first).await);

    server.fill_disk();
    eventually("readiness goes", async || {
        (api.get("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    let refused = api.post("/api/v1/satellites", &json!({"name": "n", "region": "r"})).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
    let mut socket = Socket::open(&server).await;
    match socket.present(&second).await {
        Said::Closed(code) => assert_eq!(code, Some(1013)),
        Said::Message(said) => panic!("acknowledged what cannot be stored: {said}"),
    }
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK, "it lives");

    server.free_disk();
    eventually("readiness returns", async || {
        (api.get("/readyz").await.status == StatusCode::OK).then_some(())
    })
    .await;
    let listed = api.get("/api/v1/satellites?q=n").await.expect(StatusCode::OK);
    let names: Vec<_> = listed["items"].as_array().expect("a list").iter().collect();
    assert!(names.iter().all(|satellite| satellite["name"] != "n"), "{listed}");
    eventually("the satellite is accepted", async || {
        let mut socket = Socket::open(&server).await;
        matches!(socket.present(&second).await, Said::Message(_)).then_some(())
    })
    .await;
    assert!(
        edges(&api.transitions(&second.id).await).contains(&"connected authenticated".to_owned())
    );
}
