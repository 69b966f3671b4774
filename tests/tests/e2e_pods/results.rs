//! Results through a rolling restart: what an agent was told is kept is there, and there once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use groundcontrol_testkit::fleet::{Queue, Scope, Setup, Stage};
use groundcontrol_testkit::server::{Api, PATIENCE, Said, Satellite, Socket};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use crate::support::machine;

/// Satellites that report, and how often each does.
const SATELLITES: usize = 12;
const EVERY: Duration = Duration::from_millis(50);
/// Results of one satellite, however fast the pods are replaced.
const AT_LEAST: u32 = 20;

/// An agent that sends what it was not told is kept again on each connection, as ours does.
struct Reporter {
    satellite: Satellite,
    urls: Vec<String>,
    result: Value,
    /// What it made so far, and which of it was not acknowledged yet.
    made: u32,
    unsettled: BTreeMap<String, Value>,
    /// What it was told is kept.
    told: BTreeSet<String>,
}

impl Reporter {
    /// Reports until `stop`, and then until everything is settled. Answers what it was told.
    async fn run(mut self, first: usize, stop: Arc<AtomicBool>) -> BTreeSet<String> {
        let mut pod = first;
        let begun = Instant::now();
        loop {
            pod = (pod + 1) % self.urls.len();
            if let Ok(mut socket) = Socket::try_open(&self.urls[pod]).await
                && accepted(&mut socket, &self.satellite).await
                && self.talk(&mut socket, &stop).await
            {
                return self.told;
            }
            assert!(begun.elapsed() < 4 * PATIENCE, "{} results unsettled", self.unsettled.len());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// One connection; whether everything is settled and nothing more will come.
    async fn talk(&mut self, socket: &mut Socket, stop: &AtomicBool) -> bool {
        for result in self.unsettled.values() {
            socket.send(result.clone()).await;
        }
        let mut ticks = interval(EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if stop.load(Ordering::Relaxed) && self.made >= AT_LEAST {
                        if self.unsettled.is_empty() {
                            return true;
                        }
                        continue;
                    }
                    self.made += 1;
                    socket.send(self.next()).await;
                    if self.made.is_multiple_of(20) {
                        socket.heartbeat().await;
                    }
                }
                said = socket.next() => match said {
                    Said::Message(said) if said["type"] == "result_ack" => {
                        let id = said["resultId"].as_str().expect("an id is text").to_owned();
                        assert_eq!(said["accepted"], true, "{said}");
                        self.unsettled.remove(&id);
                        self.told.insert(id);
                    }
                    Said::Message(_) => {}
                    Said::Closed(_) => return false,
                },
            }
        }
    }

    fn next(&mut self) -> Value {
        let id = format!("{} {}", self.satellite.id, self.made);
        let mut result = self.result.clone();
        result["resultId"] = json!(id);
        result["result"] = json!({"status": "healthy", "id": id});
        self.unsettled.insert(id, result.clone());
        result
    }
}

async fn accepted(socket: &mut Socket, satellite: &Satellite) -> bool {
    match socket.present(satellite).await {
        Said::Message(said) => said["type"] == "authenticated",
        Said::Closed(_) => false,
    }
}

async fn make(api: &Api, path: &str, body: Value) -> Value {
    api.post(path, &body).await.expect(StatusCode::CREATED)["id"].clone()
}

/// How often each id is among the stored results.
async fn stored(api: &Api) -> BTreeMap<String, u32> {
    let (mut stored, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = api.get(&format!("/api/v1/results?limit=1000{cursor}")).await;
        let page = page.expect(StatusCode::OK);
        for run in page["items"].as_array().expect("items are a list") {
            if let Some(id) = run["result"]["id"].as_str() {
                *stored.entry(id.to_owned()).or_default() += 1;
            }
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return stored,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_result_that_an_agent_was_told_is_kept_is_missing_or_doubled_after_a_rolling_restart() {
    let _machine = machine().await;
    let (heartbeat, threshold) = (Duration::from_secs(2), Duration::from_secs(8));
    let setup = Setup { queue: Queue::Postgres, heartbeat, threshold, ..Setup::default() };
    let stage = Stage::set_up(setup).await;
    let api = stage.api(0);
    let system = make(&api, "/api/v1/systems", json!({"name": "s"})).await;
    let check = json!({"name": "c", "strategyId": "s", "config": {}, "intervalSeconds": 3600});
    let check = make(&api, "/api/v1/checks", check).await;
    let order = json!({"checkId": check, "systemId": system, "selector": {}});
    make(&api, "/api/v1/assignments", order).await;

    let (stop, mut reporters) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for (number, satellite) in stage.create(SATELLITES).await.into_iter().enumerate() {
        let reporter = Reporter {
            satellite,
            urls: stage.pods.iter().map(|pod| pod.url()).collect(),
            result: json!({"type": "result", "configId": check, "systemId": system,
                "status": "healthy", "executedAt": "2020-01-01T00:00:00.000Z"}),
            made: 0,
            unsettled: BTreeMap::new(),
            told: BTreeSet::new(),
        };
        reporters.spawn(reporter.run(number, stop.clone()));
    }
    for pod in &stage.pods {
        let restart = stage.troubles.begin("pod drained", Scope::Pod(pod.number));
        assert_eq!(pod.drain_and_replace().await, Some(0), "a drained pod ends well");
        stage.troubles.end(restart, None);
    }
    stop.store(true, Ordering::Relaxed);
    let mut told = BTreeSet::new();
    while let Some(of_one) = reporters.join_next().await {
        told.extend(of_one.expect("an agent ends well"));
    }
    let stored = stored(&stage.api(0)).await;
    let missing: Vec<_> = told.iter().filter(|id| !stored.contains_key(*id)).collect();
    assert!(missing.is_empty(), "told that they are kept, and missing: {missing:?}");
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "stored more than once: {doubled:?}");
    println!("{} results acknowledged through {} restarts", told.len(), stage.pods.len());
    assert!(told.len() >= SATELLITES * AT_LEAST as usize, "only {} were reported", told.len());
}
