//! Connections: states, batches, history.

use std::collections::BTreeMap;

use groundcontrol_core::ports::FleetError;
use groundcontrol_core::satellite::Seq;
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn online_ids_are_listed() {
    let answer = get(willing(), "/api/v1/satellites/online-ids").await;
    assert_eq!(answer.json(), json!({"satelliteIds": [ID]}));
}

#[tokio::test]
async fn a_connection_shows_its_state() {
    let answer = get(willing(), &format!("/api/v1/satellites/{ID}/connection")).await;
    assert_eq!(answer.json(), state_json());
}

#[tokio::test]
async fn s5_last_seen_is_null_after_a_clean_disconnect() {
    let mut fleet = fleet();
    fleet.expect_connection().return_once(|_| Ok(transition(8).next));
    let answer = get(fleet, &format!("/api/v1/satellites/{ID}/connection")).await;
    assert!(answer.json().as_object().unwrap()["lastSeenAt"].is_null());
}

#[tokio::test]
async fn s4_a_satellite_that_never_connected_has_no_state() {
    let mut fleet = fleet();
    fleet.expect_connection().return_once(|_| Ok(None));
    let answer = get(fleet, &format!("/api/v1/satellites/{ID}/connection")).await;
    answer.problem(404, "never-connected");
}

#[tokio::test]
async fn a_connection_of_nobody_is_not_found() {
    let mut fleet = fleet();
    let nobody = FleetError::NotFound { what: "satellite" };
    fleet.expect_connection().return_once(|_| Err(nobody));
    let answer = get(fleet, &format!("/api/v1/satellites/{UNKNOWN}/connection")).await;
    answer.problem(404, "not-found");
}

#[tokio::test]
async fn a_batch_answers_by_id_and_asks_for_each_once() {
    let mut fleet = fleet();
    fleet
        .expect_connections()
        .withf(|ids| *ids == [id(), UNKNOWN.parse().unwrap()])
        .return_once(|_| Ok(BTreeMap::from([(id(), state())])));
    let body = json!({"ids": [UNKNOWN, ID, ID]}).to_string();
    let answer = post(fleet, "/api/v1/connections/batch-get", &body).await;
    assert_eq!(answer.json(), json!({"states": {ID: state_json()}}));
}

#[tokio::test]
async fn a_batch_names_what_is_no_id() {
    let body = json!({"ids": [ID, "x", 3]}).to_string();
    let answer = post(fleet(), "/api/v1/connections/batch-get", &body).await;
    assert_eq!(answer.faults(), ["/ids/1", "/ids/2"]);
}

#[tokio::test]
async fn history_shows_each_edge_with_the_states_around_it() {
    let answer = get(willing(), &format!("/api/v1/satellites/{ID}/transitions")).await;
    let next = json!({
        "status": "offline", "name": "a", "region": "eu", "lastSeenAt": null,
        "lastEvent": "disconnected", "lastEventAt": "2026-02-02T02:40:10.000Z",
        "cause": "revoked", "seq": 2, "epoch": 3,
    });
    assert_eq!(
        answer.json(),
        json!({"items": [{
            "id": format!("{ID}:2"), "satelliteId": ID, "seq": 2, "epoch": 3,
            "event": "disconnected", "cause": "revoked",
            "occurredAt": "2026-02-02T02:40:10.000Z", "pod": "pod-1", "actor": "ops",
            "previous": state_json(), "next": next,
        }]})
    );
}

#[tokio::test]
async fn the_first_edge_has_null_before_it() {
    let mut fleet = fleet();
    let first = groundcontrol_core::connection::Transition { previous: None, ..transition(1) };
    fleet.expect_transitions().return_once(|_, _, _| Ok(vec![first]));
    let answer = get(fleet, &format!("/api/v1/satellites/{ID}/transitions")).await;
    assert!(answer.json()["items"][0].as_object().unwrap()["previous"].is_null());
}

#[tokio::test]
async fn history_goes_on_below_the_last_seq_of_the_page_before() {
    let mut first = fleet();
    first
        .expect_transitions()
        .withf(|_, before, limit| before.is_none() && *limit == 2)
        .return_once(|_, _, _| Ok(vec![transition(9), transition(8)]));
    let path = format!("/api/v1/satellites/{ID}/transitions");
    let page = get(first, &format!("{path}?limit=1")).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let cursor = page["nextCursor"].as_str().unwrap();
    let mut second = fleet();
    second
        .expect_transitions()
        .withf(|_, before, _| *before == Some(Seq(9)))
        .return_once(|_, _, _| Ok(vec![transition(8)]));
    assert_eq!(get(second, &format!("{path}?cursor={cursor}")).await.status, 200);
    let of_another = format!("/api/v1/satellites/{UNKNOWN}/transitions?cursor={cursor}");
    assert_eq!(get(fleet(), &of_another).await.faults(), ["?cursor"]);
}

#[tokio::test]
async fn s1_an_explanation_is_data_and_sentences_at_once() {
    let answer = get(willing(), &format!("/api/v1/satellites/{ID}/explain")).await.json();
    let head = ["status", "reason", "rule", "summary"].map(|name| answer[name].clone());
    let summary = "a is online: it was last heard 1 s ago, within its threshold of 60 s.";
    let summary = summary.replace("60 s", "1 min");
    assert_eq!(head, ["online", "heard", "S1", summary.as_str()].map(|text| json!(text)));
    let heard = json!({"at": "2026-02-02T02:40:09.000Z", "ageMs": 1_000, "withinThreshold": true});
    assert_eq!(answer["heartbeat"], heard);
    assert_eq!(
        answer["session"],
        json!({
            "epoch": 3, "id": "00000000-0000-0000-0000-000000000000", "ended": false,
            "tookOver": true, "since": "2026-02-02T02:40:10.000Z", "pod": "pod-1",
            "remoteAddress": "192.0.2.1:1", "agentVersion": "1.2.3",
        })
    );
    assert_eq!(answer["outlook"][0]["kind"], "offline_after");
    assert_eq!(answer["outlook"][0]["at"], "2026-02-02T02:41:09.000Z");
    assert_eq!(answer["clock"], json!({"errorMs": 2, "wallAheadMs": -3}));
    assert_eq!(answer["edges"][0]["transition"]["seq"], 7);
}

#[tokio::test]
async fn an_explanation_of_nobody_is_not_found() {
    let mut fleet = fleet();
    fleet.expect_explain().return_once(|_| Err(FleetError::NotFound { what: "satellite" }));
    let answer = get(fleet, &format!("/api/v1/satellites/{UNKNOWN}/explain")).await;
    answer.problem(404, "not-found");
}
