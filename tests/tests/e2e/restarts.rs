//! Servers that stop, die, sleep and come back.

use groundcontrol_testkit::server::{
    Agent, Beating, EventStream, HEARTBEAT, Said, Satellite, Server, Site, Socket, THRESHOLD,
    edges, eventually,
};
use reqwest::StatusCode;
use tokio::time::{Instant, sleep};

/// Dials until the server accepts the satellite, as an agent does.
async fn reconnect(server: &Server, satellite: &Satellite) -> Socket {
    Socket::connect(server, satellite).await
}

#[tokio::test]
async fn a_drain_closes_with_1012_writes_no_offline_edge_and_exits_with_0() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let beating = Beating::new(Socket::connect(&server, &satellite).await);

    server.ask_to_stop();
    let ended = beating.ended().await;
    assert_eq!(ended.code, Some(1012));
    assert_eq!(server.ended().await, Some(0));

    let server = site.serve().await;
    let _beating = Beating::new(reconnect(&server, &satellite).await);
    sleep(2 * THRESHOLD).await;
    let history = site.api(&server).transitions(&satellite.id).await;
    assert_eq!(edges(&history), ["connected authenticated", "connected took_over"]);
}

#[tokio::test]
async fn a_drain_ends_within_its_time_out_though_a_peer_does_not_answer() {
    let site = Site::new();
    let server = site.serve_with(&["--drain-timeout", "2s"]).await;
    let satellite = site.api(&server).create(&site).await;
    let _deaf = Socket::connect(&server, &satellite).await;
    let _stranger = Socket::open(&server).await;

    let begun = Instant::now();
    assert_eq!(server.stop().await, Some(0));
    // The drain itself, and the farewell to requests that are under way.
    assert!(begun.elapsed().as_secs() < 10, "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_accepts_no_satellite() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let api = site.api(&server);
    let latecomer = api.create(&site).await;
    // Closes are spread: with so many sockets the drain takes a while to look at.
    let mut held = Vec::new();
    for _ in 0..100 {
        let satellite = api.create(&site).await;
        held.push(Socket::connect(&server, &satellite).await);
    }
    let mut waiting = Socket::open(&server).await;
    server.ask_to_stop();

    eventually("readiness goes", async || {
        (api.get("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    let answer = waiting.present(&latecomer).await;
    assert!(matches!(answer, Said::Closed(_)), "{answer:?}");
    assert_eq!(server.ended().await, Some(0));
    let server = site.serve().await;
    assert_eq!(site.api(&server).transitions(&latecomer.id).await.len(), 0);
}

#[tokio::test]
async fn after_an_outage_longer_than_the_threshold_who_comes_back_in_time_was_never_lost() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let api = site.api(&server);
    let (back, gone) = (api.create(&site).await, api.create(&site).await);
    let _first = Socket::connect(&server, &back).await;
    let _second = Socket::connect(&server, &gone).await;
    server.kill().await;
    sleep(2 * THRESHOLD).await;

    let returned = Instant::now();
    let server = site.serve().await;
    let api = site.api(&server);
    // Nobody was heard for longer than the threshold, and status says so (S1) …
    assert_eq!(api.status(&gone.id).await, "offline");
    let _beating = Beating::new(reconnect(&server, &back).await);
    // … but a loss is recorded only of who had a full threshold to come back (T5).
    let lost = eventually("who stays away is lost", async || {
        let history = api.transitions(&gone.id).await;
        (history.len() > 1).then_some(history)
    })
    .await;
    assert!(returned.elapsed() > THRESHOLD, "lost after {:?}", returned.elapsed());
    assert_eq!(edges(&lost), ["connected authenticated", "heartbeat_lost heartbeat_timeout"]);
    let history = edges(&api.transitions(&back.id).await);
    assert_eq!(history, ["connected authenticated", "connected took_over"]);
}

#[tokio::test]
async fn a_killed_server_comes_back_with_everything_and_its_agents_return() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    eventually("the agent is online", async || {
        (api.status(&satellite.id).await == "online").then_some(())
    })
    .await;
    let before = (api.satellite(&satellite.id).await, api.transitions(&satellite.id).await);
    server.kill().await;

    let server = site.serve().await;
    let api = site.api(&server);
    let after = api.satellite(&satellite.id).await;
    for field in ["id", "name", "region", "createdAt", "enabled", "tags"] {
        assert_eq!(after[field], before.0[field], "{field}");
    }
    let history = eventually("the agent is back", async || {
        let history = api.transitions(&satellite.id).await;
        (history.last()?["epoch"] == 2).then_some(history)
    })
    .await;
    assert_eq!(history[..before.1.len()], before.1, "the past is what it was");
    assert_eq!(api.status(&satellite.id).await, "online");
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn events_go_on_across_a_restart_without_a_gap_or_a_double() {
    let site = Site::with_lasting_port();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut stream = EventStream::open(&api, None).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        Socket::visit(&server, &api, &satellite).await;
    }
    // Only a part is heard before the server dies; the rest waits in the store.
    for _ in 0..2 {
        seen.push(stream.event().await);
    }
    server.kill().await;

    let server = site.serve().await;
    let api = site.api(&server);
    let last = seen.last().and_then(|event| event.id.clone()).expect("an event has an id");
    let mut stream = EventStream::open(&api, Some(&last)).await;
    Socket::visit(&server, &api, &satellite).await;
    for _ in 0..6 {
        seen.push(stream.event().await);
    }
    let numbers: Vec<u64> = seen.iter().map(|event| event.seq()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn a_server_that_slept_for_longer_than_its_lease_closes_its_sockets_first() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let beating = Beating::new(Socket::connect(&server, &satellite).await);
    server.halt();
    sleep(2 * THRESHOLD + HEARTBEAT).await;
    server.resume();

    assert_eq!(beating.ended().await.code, Some(1012));
    let _beating = Beating::new(reconnect(&server, &satellite).await);
    let history = edges(&api.transitions(&satellite.id).await);
    assert_eq!(history, ["connected authenticated", "connected took_over"]);
}
