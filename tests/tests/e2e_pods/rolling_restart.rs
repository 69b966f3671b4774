//! All pods are replaced, one after the other, under load.
//!
//! `GROUNDCONTROL_ROLLING_SATELLITES` says how many satellites there are.

use std::time::Duration;

use groundcontrol_testkit::fleet::checker::check;
use groundcontrol_testkit::fleet::{Crowd, End, Queue, Scope, Setup, Stage};
use tokio::time::sleep;

use crate::support::{machine, quantiles, variable};

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_of_all_pods_is_nobodys_offline_edge() {
    let _machine = machine().await;
    let satellites = variable("GROUNDCONTROL_ROLLING_SATELLITES", 200) as usize;
    let (heartbeat, threshold) = (Duration::from_secs(2), Duration::from_secs(8));
    let setup = Setup { queue: Queue::Postgres, heartbeat, threshold, ..Setup::default() };
    let stage = Stage::set_up(setup).await;
    let crowd = Crowd::gather(&stage, satellites, 7).await;

    for pod in &stage.pods {
        let restart = stage.troubles.begin("pod drained", Scope::Pod(pod.number));
        assert_eq!(pod.drain_and_replace().await, Some(0), "a drained pod ends well");
        stage.troubles.end(restart, None);
        crowd.all_online(&stage, Duration::from_secs(30)).await;
    }
    sleep(threshold).await;

    let evidence = crowd.evidence(&stage).await;
    let verdict = check(&evidence);
    println!("{satellites} satellites, {} pods: {verdict}", stage.pods.len());
    println!("away: {}", quantiles(spans_away(&crowd)));
    verdict.assert_sound(&evidence);
    let edges = evidence.histories.values().flatten();
    let offline = edges.filter(|edge| !edge.is("connected")).count();
    assert_eq!(offline, 0, "offline edges");
}

/// The time from each end of a connection to the next acceptance; every end must be the 1012 of a
/// pod that stops, or one that the stopping pod cut off.
fn spans_away(crowd: &Crowd) -> Vec<i64> {
    let mut spans = Vec::new();
    for agent in &crowd.agents {
        let account = agent.account();
        let accepted: Vec<_> = account.attempts.iter().filter(|a| a.accepted().is_some()).collect();
        for pair in accepted.windows(2) {
            let (ended, how) = pair[0].ended.expect("who dials again was closed");
            assert_eq!(how, End::Closed(1012), "{}", account.satellite);
            spans.push(pair[1].accepted().unwrap_or(ended) - ended);
        }
    }
    spans
}
