//! Pods that are told different first API tokens, or none.

use std::time::Duration;

use groundcontrol_testkit::fleet::Queue;
use groundcontrol_testkit::server::Api;
use reqwest::StatusCode;

use crate::support::two_pods;

const ANOTHER: &str = "gcapi_which_is_another_0123456789abcdef";
const LIST: &str = "/api/v1/satellites";

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_told_another_first_token_replaces_that_of_all_and_says_so() {
    let stage = two_pods(Queue::Postgres).await;
    let (before, pod) = (stage.api(0), &stage.pods[1]);
    let warning = "works no longer";
    assert!(!pod.logged().contains(warning), "nothing was replaced so far");
    pod.set_admin_token(Some(ANOTHER));
    pod.kill_and_replace(Duration::ZERO).await;

    assert!(pod.logged().contains(warning), "{}", pod.logged());
    assert!(pod.logged().contains("GROUNDCONTROL_ADMIN_TOKEN"), "it says what to do");
    assert_eq!(before.get(LIST).await.status, StatusCode::UNAUTHORIZED);
    let after = Api::new(&stage.pods[0].url(), ANOTHER);
    assert_eq!(after.get(LIST).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_told_no_first_token_leaves_that_of_the_others_alone() {
    let stage = two_pods(Queue::Postgres).await;
    let pod = &stage.pods[1];
    pod.set_admin_token(None);
    pod.kill_and_replace(Duration::ZERO).await;
    assert_eq!(stage.api(0).get(LIST).await.status, StatusCode::OK);
    assert_eq!(stage.api(1).get(LIST).await.status, StatusCode::OK);
}
