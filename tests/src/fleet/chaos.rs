//! Lets happen what a plan says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::account::now;
use super::agent::Order;
use super::checker::Rotation;
use super::crowd::Crowd;
use super::plan::{Fault, Plan};
use super::proxy::{Passage, Proxy};
use super::stage::Stage;
use super::troubles::Scope;
use crate::server::Satellite;
use groundcontrol_testnats::Stop as StopNats;
use groundcontrol_testpostgres::Stop as StopPostgres;

/// The time for one call of an operator.
const CALL: Duration = Duration::from_secs(5);
/// Between two such calls.
const AGAIN: Duration = Duration::from_millis(300);

/// What happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Happened {
    /// Faults by kind.
    pub(super) faults: BTreeMap<&'static str, usize>,
    /// Tokens that ended.
    pub(super) rotations: Vec<Rotation>,
}

/// Does all of a plan, and returns when the last of it is over.
pub(super) async fn unleash(
    stage: &Arc<Stage>,
    crowd: &Arc<Crowd>,
    plan: &Plan,
    seed: u64,
) -> Happened {
    let begun = Instant::now();
    let mut happened = Happened::default();
    let rotations = Arc::new(Mutex::new(Vec::new()));
    let one_database = Arc::new(tokio::sync::Mutex::new(()));
    let mut running = JoinSet::new();
    for (planned, number) in plan.faults.iter().zip(0..) {
        sleep_until(begun + planned.at).await;
        *happened.faults.entry(planned.fault.name()).or_default() += 1;
        let done = Happening {
            stage: stage.clone(),
            crowd: crowd.clone(),
            chance: SmallRng::seed_from_u64(seed.wrapping_add(number)),
            rotations: rotations.clone(),
            one_database: one_database.clone(),
        };
        running.spawn(done.happen(planned.fault));
    }
    while let Some(done) = running.join_next().await {
        done.expect("a fault can be caused");
    }
    happened.rotations = std::mem::take(&mut *rotations.lock());
    happened
}

struct Happening {
    stage: Arc<Stage>,
    crowd: Arc<Crowd>,
    chance: SmallRng,
    rotations: Arc<Mutex<Vec<Rotation>>>,
    /// One thing at a time happens to the database server, and to NATS.
    one_database: Arc<tokio::sync::Mutex<()>>,
}

impl Happening {
    async fn happen(mut self, fault: Fault) {
        let name = fault.name();
        match fault {
            Fault::Kill { pod, away } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                self.stage.pods[pod].kill_and_replace(away).await;
            }
            Fault::Drain { pod } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                self.stage.pods[pod].drain_and_replace().await;
            }
            // What such a pod has locked in the database keeps the others waiting.
            Fault::Sleep { pod, span } => {
                let _over = self.trouble(name, Scope::All);
                self.stage.pods[pod].sleep(span).await;
            }
            Fault::HoldDatabase { pod, span } => {
                let _over = self.trouble(name, Scope::All);
                turn(&self.stage.pods[pod].back, Passage::Held, span).await;
            }
            Fault::CloseDatabase { pod, span } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                turn(&self.stage.pods[pod].back, Passage::Closed, span).await;
            }
            Fault::HoldAgents { pod, span } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                turn(&self.stage.pods[pod].front, Passage::Held, span).await;
            }
            Fault::CloseAgents { pod, span } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                turn(&self.stage.pods[pod].front, Passage::Closed, span).await;
            }
            Fault::BreakAgents { pod } => {
                let _over = self.trouble(name, Scope::Pod(pod));
                self.stage.pods[pod].front.break_all();
            }
            Fault::StepClock { pod, off, behind } => {
                self.stage.pods[pod].set_wall_clock(off, behind);
            }
            Fault::RestartDatabase { away, crash } => {
                self.restart_database(name, away, crash).await
            }
            Fault::FreezeDatabase { span } => self.freeze_database(name, span).await,
            Fault::RestartQueue { away, crash } => self.restart_queue(away, crash).await,
            Fault::Silence { agents, span } => self.tell(agents, Order::Silence(span)),
            Fault::Leave { agents } => self.tell(agents, Order::Leave),
            Fault::Drop { agents } => self.tell(agents, Order::Drop),
            Fault::Roam { agents } => self.tell(agents, Order::Roam),
            Fault::Rotate { agents } => {
                for _ in 0..agents {
                    self.rotate().await;
                }
            }
        }
    }

    fn trouble(&self, what: &'static str, scope: Scope) -> impl Drop + use<> {
        let number = self.stage.troubles.begin(what, scope);
        Over { stage: self.stage.clone(), number }
    }

    fn tell(&mut self, agents: usize, order: Order) {
        for _ in 0..agents {
            let agent = self.chance.random_range(0..self.crowd.agents.len());
            self.crowd.agents[agent].tell(order);
        }
    }

    async fn restart_database(&self, what: &'static str, away: Duration, crash: bool) {
        let _one = self.one_database.lock().await;
        let number = self.stage.troubles.begin(what, Scope::All);
        let how = if crash { StopPostgres::Crash } else { StopPostgres::Fast };
        self.stage.database(move |server| server.stop(how)).await;
        let gone = now();
        sleep(away).await;
        let back = now();
        self.stage.database(|server| server.start()).await;
        self.stage.troubles.end(number, Some((gone, back)));
    }

    async fn freeze_database(&self, what: &'static str, span: Duration) {
        let _one = self.one_database.lock().await;
        let number = self.stage.troubles.begin(what, Scope::All);
        self.stage.database(|server| server.freeze()).await;
        let gone = now();
        sleep(span).await;
        let back = now();
        self.stage.database(|server| server.thaw()).await;
        self.stage.troubles.end(number, Some((gone, back)));
    }

    /// No trouble for anybody: a queue that is away costs time, and that not much.
    async fn restart_queue(&self, away: Duration, crash: bool) {
        let _one = self.one_database.lock().await;
        let how = if crash { StopNats::Crash } else { StopNats::Fast };
        self.stage.nats(move |server| server.stop(how)).await;
        sleep(away).await;
        self.stage.nats(|server| server.start()).await;
    }

    /// Asks one pod after the other for a new token, until one answers.
    async fn rotate(&mut self) {
        let agent = &self.crowd.agents[self.chance.random_range(0..self.crowd.agents.len())];
        let (satellite, token) = (agent.satellite(), agent.token());
        let asked = now();
        loop {
            let pod = self.chance.random_range(0..self.stage.pods.len());
            let path = format!("/api/v1/satellites/{satellite}/rotate-token");
            let api = self.stage.api(pod);
            let request = api.request(Method::POST, &path).json(&json!({}));
            if let Ok(Some(answer)) = timeout(CALL, api.try_send(request)).await
                && answer.status == StatusCode::OK
            {
                let recorded = now();
                self.rotations.lock().push(Rotation { satellite, token, asked, recorded });
                agent.present(Satellite::read(&answer.body));
                return;
            }
            sleep(AGAIN).await;
        }
    }
}

/// Lets a path be like this for a while.
async fn turn(path: &Proxy, passage: Passage, span: Duration) {
    path.set(passage);
    sleep(span).await;
    path.set(Passage::Open);
}

/// A trouble that is over when this is dropped.
struct Over {
    stage: Arc<Stage>,
    number: usize,
}

impl Drop for Over {
    fn drop(&mut self) {
        self.stage.troubles.end(self.number, None);
    }
}
