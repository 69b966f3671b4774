//! Many agents, and those who listen to what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use tokio::time::{Instant, sleep, timeout};

use super::agent::Agent;
use super::checker::Evidence;
use super::follower::Follower;
use super::record::Transition;
use super::stage::Stage;
use crate::server::{Api, PATIENCE};

/// Histories that are read at once.
const READ_AT_ONCE: usize = 8;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Agents of satellites of their own, and one listener for each pod.
pub struct Crowd {
    /// The agents.
    pub agents: Vec<Agent>,
    /// The listeners.
    pub followers: Vec<Follower>,
}

impl Crowd {
    /// Makes `count` satellites, begins to listen, starts their agents and waits until all are
    /// online.
    pub async fn gather(stage: &Stage, count: usize, seed: u64) -> Self {
        let satellites = stage.create(count).await;
        let mut followers = Vec::new();
        for first in 0..stage.pods.len() {
            let order = (0..stage.pods.len()).map(|next| (first + next) % stage.pods.len());
            followers.push(Follower::start(order.map(|pod| stage.api(pod)).collect()).await);
        }
        let pods: Arc<[String]> = stage.pods.iter().map(super::pod::Pod::url).collect();
        let agents = satellites.into_iter().zip(0..).map(|(satellite, number)| {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(number);
            Agent::start(satellite, pods.clone(), stage.setup.heartbeat, seed)
        });
        let crowd = Self { agents: agents.collect(), followers };
        crowd.all_online(stage, PATIENCE).await;
        crowd
    }

    /// The ids of the satellites whose agents are to be online.
    pub fn ids(&self) -> BTreeSet<String> {
        self.agents.iter().map(Agent::satellite).collect()
    }

    /// Waits until every pod shows all of them online (P9).
    ///
    /// # Panics
    /// Where that takes longer than `patience`, with who is missing.
    pub async fn all_online(&self, stage: &Stage, patience: Duration) {
        self.online(stage, &self.ids(), patience).await;
    }

    /// Waits until every pod shows just these online (P3, P9).
    ///
    /// # Panics
    /// Where that takes longer than `patience`, with who differs.
    pub async fn online(&self, stage: &Stage, expected: &BTreeSet<String>, patience: Duration) {
        let begun = Instant::now();
        for pod in 0..stage.pods.len() {
            loop {
                let seen = online_ids(&stage.api(pod)).await;
                if seen.as_ref() == Some(expected) {
                    break;
                }
                if begun.elapsed() > patience {
                    self.explain(pod, expected, &seen.unwrap_or_default());
                }
                sleep(LOOK).await;
            }
        }
    }

    fn explain(&self, pod: usize, expected: &BTreeSet<String>, seen: &BTreeSet<String>) -> ! {
        let differ: Vec<_> = expected.symmetric_difference(seen).collect();
        let first = differ.first().map(|id| {
            let agent = self.agents.iter().find(|agent| agent.satellite() == **id);
            let last = agent.and_then(|agent| agent.look(|known| known.attempts.last().cloned()));
            last.map(|mut last| {
                let beats = last.beats.split_off(last.beats.len().saturating_sub(3));
                format!("{id}, {last:?}, last beats {beats:?}, now {}", super::account::now())
            })
        });
        panic!(
            "pod {pod} shows {} online and {} are expected; {} differ, one is {first:?}",
            seen.len(),
            expected.len(),
            differ.len(),
        );
    }

    /// Everything that the checker looks at: what is recorded, what the agents know, and what was
    /// delivered once it had time to be.
    pub async fn evidence(&self, stage: &Stage) -> Evidence {
        let begun = Instant::now();
        loop {
            let histories = self.histories(&stage.api(0)).await;
            let delivered: Vec<_> = self.followers.iter().map(Follower::events).collect();
            let recorded: usize = histories.values().map(Vec::len).sum();
            // Told later than read, or read earlier than told: look again, for a while.
            let same = delivered.iter().all(|delivered| delivered.len() == recorded);
            if same || begun.elapsed() > PATIENCE {
                return Evidence {
                    heartbeat: millis(stage.setup.heartbeat),
                    threshold: millis(stage.setup.threshold),
                    accounts: self.agents.iter().map(Agent::account).collect(),
                    histories,
                    delivered,
                    troubles: stage.troubles.list(),
                    rotations: Vec::new(),
                };
            }
            sleep(LOOK).await;
        }
    }

    async fn histories(&self, api: &Api) -> BTreeMap<String, Vec<Transition>> {
        let read = self.agents.iter().map(Agent::satellite).map(|id| async move {
            let shown = api.transitions(&id).await;
            (id, shown.iter().map(Transition::read).collect())
        });
        stream::iter(read).buffer_unordered(READ_AT_ONCE).collect().await
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

async fn online_ids(api: &Api) -> Option<BTreeSet<String>> {
    let path = "/api/v1/satellites/online-ids";
    let answer = timeout(PATIENCE, api.try_send(api.request(Method::GET, path))).await.ok()??;
    let ids = answer.body["satelliteIds"].as_array()?;
    Some(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
}
