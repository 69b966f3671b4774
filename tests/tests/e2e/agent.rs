//! What the agent does with what it is given, and how it ends.

use std::fs;

use groundcontrol_testkit::server::{Agent, Api, Satellite, Server, Site, edges, eventually};
use reqwest::StatusCode;
use serde_json::json;

/// How the agent's process ends after `auth_failed`, and after `shutdown`.
const AUTH_FAILED: Option<i32> = Some(3);
const SHUT_DOWN: Option<i32> = Some(4);

async fn site() -> (Site, Server, Api, Satellite) {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    (site, server, api, satellite)
}

async fn online(api: &Api, satellite: &Satellite) {
    eventually("the agent is online", async || {
        (api.status(&satellite.id).await == "online").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_agent_with_a_wrong_token_stops_for_good_and_says_what_to_check() {
    let (site, server, _api, satellite) = site().await;
    let wrong = Satellite { token: "csat_wrong".to_owned(), ..satellite };
    let ended = Agent::run(&site, server.url(), &wrong, &[]).await;
    assert_eq!(ended.code, AUTH_FAILED, "{}", ended.errors);
    assert!(ended.errors.contains("check the client id"), "{}", ended.errors);
    assert!(!ended.errors.contains(&wrong.token), "{}", ended.errors);
}

#[tokio::test]
async fn an_agent_whose_satellite_is_removed_stops_for_good() {
    let (site, server, api, satellite) = site().await;
    let agent = Agent::start(&site, server.url(), &satellite);
    online(&api, &satellite).await;
    let removed = api.delete(&format!("/api/v1/satellites/{}", satellite.id)).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(agent.ended().await, SHUT_DOWN);
}

#[tokio::test]
async fn an_agent_whose_satellite_is_disabled_stops_for_good() {
    let (site, server, api, satellite) = site().await;
    let agent = Agent::start(&site, server.url(), &satellite);
    online(&api, &satellite).await;
    let path = format!("/api/v1/satellites/{}", satellite.id);
    api.patch(&path, &json!({"enabled": false})).await.expect(StatusCode::OK);
    assert_eq!(agent.ended().await, SHUT_DOWN);
}

#[tokio::test]
async fn an_agent_keeps_dialling_a_server_that_is_not_there_yet() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let (url, satellite) = (server.url().to_owned(), site.api(&server).create(&site).await);
    server.stop().await;

    let agent = Agent::start(&site, &url, &satellite);
    eventually("the agent waits to dial again", async || {
        agent.logged().contains("dialling again").then_some(())
    })
    .await;
    let server = site.serve().await;
    online(&site.api(&server), &satellite).await;
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn an_agent_without_interruption_is_never_lost() {
    let (site, server, api, satellite) = site().await;
    let _agent = Agent::start(&site, server.url(), &satellite);
    online(&api, &satellite).await;
    tokio::time::sleep(3 * groundcontrol_testkit::server::THRESHOLD).await;
    assert_eq!(edges(&api.transitions(&satellite.id).await), ["connected authenticated"]);
}

#[tokio::test]
async fn an_agent_refuses_to_send_its_token_in_the_clear_beyond_this_machine() {
    let (site, _server, _api, satellite) = site().await;
    for url in ["http://192.0.2.1:8080", "ws://ground.example"] {
        let ended = Agent::run(&site, url, &satellite, &[]).await;
        assert_eq!(ended.code, Some(1), "{}", ended.errors);
        assert!(ended.errors.contains("--allow-plaintext"), "{}", ended.errors);
    }
}

#[tokio::test]
async fn a_token_on_the_command_line_is_refused_and_not_repeated() {
    let (site, server, _api, satellite) = site().await;
    let ended = Agent::run(&site, server.url(), &satellite, &["--token", "csat_typed"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(ended.errors.contains("--token-file"), "{}", ended.errors);
    assert!(!ended.errors.contains("csat_typed"), "{}", ended.errors);
}

#[tokio::test]
async fn tokens_show_neither_in_any_log_nor_in_the_process_list() {
    let site = Site::new();
    // The server's log is looked at when the site is left.
    let server = site.serve_with_trace().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let agent = Agent::start_with(&site, server.url(), &satellite, &["--log", "trace"]);
    online(&api, &satellite).await;
    for of in ["cmdline", "environ"] {
        let shown = fs::read(format!("/proc/{}/{of}", agent.pid())).expect("it is running");
        assert!(!String::from_utf8_lossy(&shown).contains(&satellite.token), "{of}");
    }
    assert!(!agent.logged().contains(&satellite.token));
}
