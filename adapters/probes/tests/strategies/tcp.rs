//! `healthcheck-tcp.tcp` against listeners.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::{check, entry, found, message, probes, run};

/// A port where everybody is greeted with `greeting` and then kept.
async fn greet(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(greeting).await.unwrap();
            kept.push(stream);
        }
    });
    port
}

#[tokio::test]
async fn an_open_port_is_healthy_without_any_collector() {
    let port = greet(b"").await;
    let check = check("tcp", json!({"host": "localhost", "port": port}), vec![]);
    let report = probes().run(&check).await;
    assert!(report.healthy, "{}", report.result);
    assert_eq!(report.result["metadata"]["connected"], true);
    assert!(report.result["metadata"].get("collectors").is_none());
}

#[tokio::test]
async fn a_closed_port_is_unhealthy_and_not_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = json!({"host": "127.0.0.1", "port": port});
    let report = probes().run(&check("tcp", config, vec![])).await;
    assert!(!report.healthy);
    assert_eq!(report.result["metadata"]["connected"], false);
    let expected = format!("could not connect to 127.0.0.1 port {port}: ");
    assert!(message(&report).starts_with(&expected), "{}", message(&report));
}

#[tokio::test]
async fn the_banner_is_what_the_peer_says_first() {
    let config = json!({"host": "127.0.0.1", "port": greet(b"220 ready\r\n").await});
    let its = json!({"timeout": 5_000});
    let report = run("healthcheck-tcp.tcp", config, "healthcheck-tcp.banner", its).await;
    assert_eq!(found(&report)["banner"], "220 ready\r\n");
    assert_eq!(found(&report)["hasBanner"], true);
    assert!(report.healthy);
}

#[tokio::test]
async fn two_collectors_share_one_banner() {
    let config = json!({"host": "127.0.0.1", "port": greet(b"hi").await});
    let entries = vec![entry("a", "banner", json!({})), entry("b", "banner", json!({}))];
    let report = probes().run(&check("tcp", config, entries)).await;
    let collectors = &report.result["metadata"]["collectors"];
    assert_eq!(
        (&collectors["a"]["banner"], &collectors["b"]["banner"]),
        (&json!("hi"), &json!("hi"))
    );
}

#[tokio::test]
async fn a_peer_that_says_nothing_has_no_banner_and_is_healthy() {
    let config = json!({"host": "127.0.0.1", "port": greet(b"").await});
    let report = run("tcp", config, "banner", json!({"timeout": 100})).await;
    assert!(report.healthy, "{}", report.result);
    assert_eq!(found(&report)["hasBanner"], false);
    assert!(found(&report).get("banner").is_none());
    assert!(found(&report)["readTimeMs"].as_f64().unwrap() >= 100.0);
}

#[tokio::test]
async fn a_target_without_host_or_port_is_refused_by_name() {
    for (config, word) in [
        (json!({"port": 80}), "`host`"),
        (json!({"host": "h"}), "`port`"),
        (json!({"host": "h", "port": 70_000}), "port: "),
    ] {
        let report = probes().run(&check("tcp", config, vec![])).await;
        assert!(message(&report).contains(word), "{}", message(&report));
    }
}
