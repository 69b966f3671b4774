//! Nobody could hear anything for a while (T5, P10).

use std::time::Duration;

use groundcontrol_testkit::fleet::{Crowd, Death, Order, Queue, Setup, Stage, Transition, now};
use groundcontrol_testkit::server::eventually;
use groundcontrol_testpostgres::Stop;
use tokio::time::sleep;

const THRESHOLD: Duration = Duration::from_secs(3);

async fn gather() -> (Stage, Crowd) {
    let stage = Stage::set_up(Setup { queue: Queue::Postgres, ..Setup::default() }).await;
    let crowd = Crowd::gather(&stage, 30, 5).await;
    (stage, crowd)
}

/// Waits until the satellite is recorded as lost, and answers when that was.
async fn lost_at(stage: &Stage, satellite: &str) -> i64 {
    let api = stage.api(0);
    eventually("who stays away is lost", async || {
        let history = api.transitions(satellite).await;
        history.iter().map(Transition::read).find(|t| t.is("heartbeat_lost")).map(|t| t.at)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_all_pods_were_down_nobody_is_lost_before_a_full_threshold() {
    let (stage, mut crowd) = gather().await;
    for pod in &stage.pods {
        pod.kill().await;
    }
    // Its agent is gone with the pods; nobody could tell.
    let gone = crowd.agents.remove(0).satellite();
    sleep(2 * THRESHOLD).await;

    let returned = now();
    for pod in &stage.pods {
        pod.start().await;
    }
    let lost = lost_at(&stage, &gone).await;
    let after = lost - returned;
    assert!(after > THRESHOLD.as_millis() as i64, "lost {after} ms after the return");
    crowd.all_online(&stage, Duration::from_secs(30)).await;
    for agent in &crowd.agents {
        let history = stage.api(1).transitions(&agent.satellite()).await;
        let offline = history.iter().filter(|edge| edge["event"] != "connected").count();
        assert_eq!(offline, 0, "{history:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_database_was_away_nobody_is_lost_before_a_full_threshold() {
    let (stage, mut crowd) = gather().await;
    let silent = crowd.agents.remove(0);
    let gone = silent.satellite();
    silent.tell(Order::Die(Death::Silent));
    stage.database(|server| server.stop(Stop::Fast)).await;
    sleep(2 * THRESHOLD).await;

    let returned = now();
    stage.database(|server| server.start()).await;
    let lost = lost_at(&stage, &gone).await;
    let after = lost - returned;
    assert!(after > THRESHOLD.as_millis() as i64, "lost {after} ms after the return");
    crowd.all_online(&stage, Duration::from_secs(30)).await;
    for agent in &crowd.agents {
        let history = stage.api(1).transitions(&agent.satellite()).await;
        let offline = history.iter().filter(|edge| edge["event"] != "connected").count();
        assert_eq!(offline, 0, "{history:#?}");
    }
}
