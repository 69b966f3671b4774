//! `healthcheck-ping.ping` against this machine, where the tests may send ICMP.

use serde_json::json;

use crate::support::{found, message, run};

#[tokio::test]
async fn this_machine_answers_or_it_is_said_what_is_missing() {
    let its = json!({"host": "127.0.0.1", "count": 3});
    let report = run("healthcheck-ping.ping", json!({}), "healthcheck-ping.ping", its).await;
    if message(&report).contains("may not send ICMP") {
        assert!(message(&report).contains("ping_group_range"), "{}", message(&report));
        return;
    }
    assert!(report.healthy, "{}", report.result);
    let found = found(&report);
    assert_eq!(found["packetsSent"], 3);
    assert_eq!(found["packetsReceived"], 3);
    assert_eq!(found["packetLoss"], 0.0);
    let latency = |field: &str| found[field].as_f64().unwrap();
    assert!(latency("minLatency") <= latency("avgLatency"));
    assert!(latency("avgLatency") <= latency("maxLatency"));
}

#[tokio::test]
async fn a_host_that_there_is_not_is_a_failure() {
    let report = run("ping", json!({}), "ping", json!({"host": "nowhere.invalid"})).await;
    assert!(!report.healthy);
    assert!(message(&report).contains("resolve nowhere.invalid"), "{}", message(&report));
}

#[tokio::test]
async fn none_and_eleven_packets_are_refused() {
    for count in [0, 11] {
        let its = json!({"host": "127.0.0.1", "count": count});
        let report = run("ping", json!({}), "ping", its).await;
        assert!(message(&report).contains("1 to 10 packets"), "{}", message(&report));
    }
}
