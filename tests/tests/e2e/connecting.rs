//! From a first connection to a recorded end.

use groundcontrol_testkit::server::{
    Agent, Beating, EventStream, Said, Site, Socket, edges, eventually,
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_satellite_that_connects_is_online_for_every_reader() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let id = &satellite.id;
    let _beating = Beating::new(Socket::connect(&server, &satellite).await);

    assert_eq!(api.status(id).await, "online");
    assert_eq!(api.online_ids().await, [id.as_str()]);
    let connection = api.get(&format!("/api/v1/satellites/{id}/connection")).await;
    let state = connection.expect(StatusCode::OK);
    assert_eq!(state["status"], "online");
    assert_eq!((&state["seq"], &state["epoch"]), (&json!(1), &json!(1)));
    let batch = api.post("/api/v1/connections/batch-get", &json!({"ids": [id]})).await;
    assert_eq!(batch.expect(StatusCode::OK)["states"][id]["status"], "online");
    let listed = api.get("/api/v1/satellites?status=online").await.expect(StatusCode::OK);
    assert_eq!(listed["items"][0]["id"], *id);
    assert_eq!(edges(&api.transitions(id).await), ["connected authenticated"]);
}

#[tokio::test]
async fn a_satellite_that_never_connected_has_no_connection_state() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;

    let connection = api.get(&format!("/api/v1/satellites/{}/connection", satellite.id)).await;
    assert_eq!(connection.status, StatusCode::NOT_FOUND);
    assert_eq!(connection.problem(), "never-connected");
    assert_eq!(api.status(&satellite.id).await, "offline");
    assert_eq!(api.satellite(&satellite.id).await.get("lastSeenAt"), None);
}

#[tokio::test]
async fn the_agent_connects_and_tells_its_version() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let _agent = Agent::start(&site, server.url(), &satellite);

    eventually("the agent is online and its version known", async || {
        let seen = api.satellite(&satellite.id).await;
        (seen["status"] == "online" && seen["version"].is_string()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_killed_is_disconnected_once_as_a_lost_connection() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut events = EventStream::open(&api, None).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    assert_eq!(events.event().await.kind(), "satellite.connected");

    agent.kill().await;
    let lost = events.event().await;
    assert_eq!(lost.kind(), "satellite.disconnected");
    assert_eq!(lost.data["cause"], "connection_lost");
    assert!(lost.data["data"]["lastSeenAt"].is_null(), "{:?}", lost.data);
    // The next event is the next connection's: nothing more was recorded of the first.
    let _again = Agent::start(&site, server.url(), &satellite);
    assert_eq!(events.event().await.kind(), "satellite.connected");
    let history = edges(&api.transitions(&satellite.id).await);
    assert_eq!(
        history,
        ["connected authenticated", "disconnected connection_lost", "connected authenticated"]
    );
}

#[tokio::test]
async fn a_polite_close_is_recorded_as_the_clients_own() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let socket = Socket::connect(&server, &satellite).await;
    socket.close().await;

    let history = eventually("the end is recorded", async || {
        let history = edges(&api.transitions(&satellite.id).await);
        (history.len() > 1).then_some(history)
    })
    .await;
    assert_eq!(history, ["connected authenticated", "disconnected client_closed"]);
    assert_eq!(api.status(&satellite.id).await, "offline");
    assert_eq!(api.satellite(&satellite.id).await.get("lastSeenAt"), None);
}

#[tokio::test]
async fn an_agent_that_is_stopped_says_goodbye_and_exits_with_0() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut events = EventStream::open(&api, None).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    events.event().await;

    assert_eq!(agent.stop().await, Some(0));
    let goodbye = events.event().await;
    assert_eq!(goodbye.kind(), "satellite.disconnected");
    assert_eq!(goodbye.data["cause"], "client_closed");
}

#[tokio::test]
async fn a_second_connection_takes_over_and_the_first_is_closed_with_4409() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let first = Beating::new(Socket::connect(&server, &satellite).await);
    let second = Beating::new(Socket::connect(&server, &satellite).await);

    let ended = first.ended().await;
    assert_eq!(ended.code, Some(4409));
    assert_eq!(api.status(&satellite.id).await, "online");
    let history = api.transitions(&satellite.id).await;
    assert_eq!(edges(&history), ["connected authenticated", "connected took_over"]);
    assert_eq!(history[1]["epoch"], 2);
    second.stop().await;
}

#[tokio::test]
async fn the_history_says_where_when_and_from_which_state() {
    let site = Site::new();
    let server = site.serve_with(&["--pod", "pod of this test"]).await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    Socket::visit(&server, &api, &satellite).await;
    let history = api.transitions(&satellite.id).await;
    let (connected, disconnected) = (&history[0], &history[1]);
    assert_eq!(connected["pod"], "pod of this test");
    assert_eq!(connected["remoteAddress"], "127.0.0.1");
    assert!(connected["previous"].is_null());
    assert_eq!(connected["next"]["status"], "online");
    assert_eq!(disconnected["previous"]["status"], "online");
    assert_eq!(disconnected["next"]["status"], "offline");
    assert_eq!((&connected["seq"], &disconnected["seq"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn two_agents_that_fight_over_one_credential_are_noticed_and_the_newest_is_put_off() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut holder = Beating::new(Socket::connect(&server, &satellite).await);
    for _ in 0..5 {
        let newer = Beating::new(Socket::connect(&server, &satellite).await);
        assert_eq!(holder.ended().await.code, Some(4409));
        holder = newer;
    }
    eventually("the operator is told", async || {
        site.logged().contains("two agents use one credential").then_some(())
    })
    .await;
    let answer = Socket::open(&server).await.present(&satellite).await;
    assert!(matches!(answer, Said::Closed(Some(4429))), "{answer:?}");
    let history = api.transitions(&satellite.id).await;
    assert_eq!(history.len(), 6);
    assert_eq!(api.status(&satellite.id).await, "online");
    holder.stop().await;
}
