//! Pods whose own wall clocks are wrong (P11).

use std::time::Duration;

use groundcontrol_testkit::fleet::checker::check;
use groundcontrol_testkit::fleet::{Crowd, Order, Queue, Setup, Stage};
use groundcontrol_testkit::server::eventually;

use crate::support::figure;

const HOURS: Duration = Duration::from_secs(3 * 3_600);

#[tokio::test(flavor = "multi_thread")]
async fn p11_pods_whose_wall_clocks_are_hours_off_behave_the_same() {
    let stage = Stage::set_up(Setup { queue: Queue::Postgres, ..Setup::default() }).await;
    for (pod, behind) in [(0, true), (1, false)] {
        stage.pods[pod].set_wall_clock(HOURS, behind);
        stage.pods[pod].kill_and_replace(Duration::ZERO).await;
    }
    let crowd = Crowd::gather(&stage, 30, 11).await;
    for (pod, expected) in [(0, -3.0), (1, 3.0), (2, 0.0)] {
        let ahead = figure(&stage, pod, "groundcontrol_clock_wall_ahead_seconds").await;
        let hours = ahead.expect("the figure is there") / 3_600.0;
        assert!((hours - expected).abs() < 0.1, "pod {pod}: {hours} hours");
    }

    let mut silent = 0;
    for agent in crowd.agents.iter().step_by(3) {
        agent.tell(Order::Silence(2 * stage.setup.threshold));
        silent += 1;
    }
    eventually("each silence is noticed, and over", async || {
        let evidence = crowd.evidence(&stage).await;
        let edges = evidence.histories.values().flatten();
        let resumed = edges.filter(|t| t.cause.as_deref() == Some("heartbeat_resumed")).count();
        (resumed == silent).then_some(())
    })
    .await;
    let evidence = crowd.evidence(&stage).await;
    let verdict = check(&evidence);
    assert_eq!(verdict.losses, silent);
    verdict.assert_sound(&evidence);
}
