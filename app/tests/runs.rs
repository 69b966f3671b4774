//! Runs that satellites report: judged, kept once, acknowledged, and shown.

mod common;

use std::time::Duration;

use common::work::{assign, named};
use common::{Satellite, World, connect, create};
use groundcontrol::pod::GroundControl;
use groundcontrol_core::assignment::{Assertion, Assignment, Collector, Collectors, Json};
use groundcontrol_core::ports::{
    CheckUpdate, FleetService as _, Order, ResultAck, RunQuery, SatelliteGateway as _,
    SatellitePatch, SatelliteUpdate, WorkService as _,
};
use groundcontrol_core::run::{ReportedRun, RunStatus, StoredRun};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::time::sleep;

const LATER: Duration = Duration::from_secs(5);

struct Place {
    world: World,
    pod: GroundControl,
    satellite: Satellite,
    assignment: Assignment,
}

/// A satellite that runs one check of one system.
async fn place() -> Place {
    place_in(World::new()).await
}

async fn place_in(world: World) -> Place {
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let assignment = assign(&pod, "x", named(&[created.view.stored.satellite.id])).await;
    let satellite = connect(&pod, &created).await;
    Place { world, pod, satellite, assignment }
}

impl Place {
    fn now(&self) -> Timestamp {
        use groundcontrol_core::ports::Clock as _;
        self.world.clock.now()
    }

    fn run(&self, result_id: Option<&str>) -> ReportedRun {
        ReportedRun {
            check: self.assignment.check,
            system: self.assignment.system,
            environment: None,
            status: RunStatus::Healthy,
            latency_ms: Some(1.5),
            result: None,
            executed_at: self.now(),
            result_id: result_id.map(str::to_owned),
        }
    }

    fn report(&self, run: ReportedRun) {
        self.pod.reported(self.satellite.session, run);
    }

    async fn kept(&self) -> Vec<StoredRun> {
        let query = RunQuery { limit: 100, ..RunQuery::default() };
        self.pod.runs(query).await.expect("the runs are listed")
    }

    /// What the satellite was told of its results, in order.
    fn acks(&self) -> Vec<(String, bool)> {
        let acks = |order| match order {
            Order::Acknowledge(acks) => acks,
            _ => Vec::new(),
        };
        let told = self.satellite.orders.all().into_iter().flat_map(acks);
        told.map(|ResultAck { result_id, refused }| (result_id, refused.is_none())).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_kept_with_its_source_and_acknowledged_where_it_has_an_id() {
    let place = place().await;
    place.report(place.run(Some("r1")));
    place.report(place.run(None));
    sleep(LATER).await;
    let kept = place.kept().await;
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].source, "one (eu)");
    assert_eq!(place.acks(), [("r1".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_resend_is_acknowledged_again_and_kept_once() {
    let place = place().await;
    let run = place.run(Some("r1"));
    for _ in 0..3 {
        place.report(run.clone());
        sleep(LATER).await;
    }
    assert_eq!(place.kept().await.len(), 1);
    assert_eq!(place.acks().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_the_far_future_is_refused_for_good() {
    let place = place().await;
    let day = Millis::from_secs(24 * 3600);
    let mut run = place.run(Some("r1"));
    run.executed_at = place.now() + day + Millis::new(1);
    place.report(run.clone());
    run.executed_at = place.now() + day;
    run.result_id = Some("r2".into());
    place.report(run);
    sleep(LATER).await;
    assert_eq!(place.acks(), [("r1".to_owned(), false), ("r2".to_owned(), true)]);
    assert_eq!(place.kept().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_assertion_that_fails_makes_the_run_unhealthy_and_says_which() {
    let place = place().await;
    let assertion = |field: &str, path: Option<&str>, operator: &str, value: &str| Assertion {
        field: field.into(),
        json_path: path.map(str::to_owned),
        operator: operator.into(),
        value: Some(Json::trusted(value)),
    };
    let collector = Collector {
        id: "c1".into(),
        collector_id: "healthcheck-http.request".into(),
        config: Json::empty_object(),
        assertions: vec![
            assertion("statusCode", None, "equals", "200"),
            assertion("body", Some("$.items[1].n"), "lessThan", "5"),
        ],
    };
    let collectors = Some(Collectors::new(vec![collector]).unwrap());
    let update = CheckUpdate { collectors, ..CheckUpdate::default() };
    place.pod.update_check(place.assignment.check, update).await.unwrap();
    sleep(LATER).await;
    for n in [4, 7] {
        let body = format!(r#"{{\"items\":[{{}},{{\"n\":{n}}}]}}"#);
        let text = format!(
            r#"{{"metadata":{{"collectors":{{"c1":{{"statusCode":200,"body":"{body}"}}}}}}}}"#
        );
        let run = ReportedRun { result: Some(Json::trusted(text)), ..place.run(None) };
        place.report(run);
        sleep(LATER).await;
    }
    let kept = place.kept().await;
    let [bad, good] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((good.run.status, &good.failed), (RunStatus::Healthy, &None));
    assert_eq!(bad.run.status, RunStatus::Unhealthy);
    let failed = bad.failed.as_ref().unwrap().as_str();
    let parts = [r#""entryId":"c1""#, r#""field":"body""#, r#""expected":5"#, r#""actual":7"#];
    assert!(parts.iter().all(|part| failed.contains(part)), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_slow_acknowledgements_wait_and_heartbeats_do_not() {
    let place = place().await;
    place.world.work.set_away(true);
    place.report(place.run(Some("r1")));
    let before = place.pod.get(place.satellite.id()).await.unwrap().stored.record;
    sleep(Duration::from_secs(30)).await;
    place.satellite.beat();
    sleep(LATER).await;
    let after = place.pod.get(place.satellite.id()).await.unwrap().stored.record;
    assert!(after.last_heartbeat_at > before.last_heartbeat_at);
    assert_eq!(place.acks(), []);
    place.world.work.set_away(false);
    sleep(LATER).await;
    assert_eq!(place.acks(), [("r1".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn more_than_may_wait_is_dropped_without_an_answer() {
    let place = place().await;
    place.world.work.set_away(true);
    let at = place.now();
    for number in 0..20_010 {
        let id = format!("r{number}");
        place.report(ReportedRun { executed_at: at, ..place.run(Some(&id)) });
    }
    place.world.work.set_away(false);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(place.acks().len(), 20_000);
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_says_of_a_strategy_is_kept() {
    let place = place().await;
    place.pod.lacks_strategy(place.satellite.session, "inline".into(), "no runtime".into());
    sleep(LATER).await;
    let said = place.pod.strategy_errors(place.satellite.id()).await.unwrap();
    assert_eq!((said[0].strategy.as_str(), said[0].message.as_str()), ("inline", "no runtime"));
}

#[tokio::test(start_paused = true)]
async fn the_source_is_what_the_satellite_is_called_when_the_run_comes() {
    let place = place().await;
    place.report(place.run(None));
    sleep(LATER).await;
    let update = SatelliteUpdate { name: "two".parse().ok(), ..SatelliteUpdate::default() };
    let patch = SatellitePatch { update, ..SatellitePatch::default() };
    place.pod.update(place.satellite.id(), patch, common::actor()).await.unwrap();
    place.report(place.run(None));
    sleep(LATER).await;
    let sources: Vec<_> = place.kept().await.into_iter().map(|stored| stored.source).collect();
    assert_eq!(sources, ["two (eu)", "one (eu)"]);
}

#[tokio::test(start_paused = true)]
async fn runs_age_out() {
    let mut world = World::new();
    world.timing.run_retention = Millis::from_secs(1_800);
    let place = place_in(world).await;
    place.report(place.run(None));
    sleep(LATER).await;
    assert_eq!(place.kept().await.len(), 1);
    sleep(Duration::from_secs(3_600)).await;
    // By now Ground Control says itself that nobody watches; the run of the satellite is gone.
    let kept = place.kept().await;
    assert!(kept.iter().all(|stored| stored.source == "ground-control"), "{kept:?}");
}
