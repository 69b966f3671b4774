//! The operators' desk: what they know of the satellites, and what they ask of pods.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundcontrol::pod::GroundControl;
use groundcontrol_core::connection::Actor;
use groundcontrol_core::limits::RECONNECT_FIRST;
use groundcontrol_core::ports::{FleetError, FleetService as _, SatellitePatch, SatelliteRequest};
use groundcontrol_core::satellite::{SatelliteId, Tags, Token};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::agent::Agent;
use super::dice::Dice;
use super::store::WRITTEN_WITHIN;
use super::world::World;

/// An operator waits this long for an answer.
const PATIENCE: Millis = Millis::from_secs(30);

/// Two agents on one credential, each of which takes over from the other again and again, go on
/// for about this long.
const TWINS_FIGHT: Millis = Millis::from_secs(120);

/// What operators know of the satellites.
#[derive(Default)]
pub(super) struct Desk {
    cards: Mutex<BTreeMap<SatelliteId, Card>>,
    names: AtomicU64,
    agents: AtomicU64,
    /// Operators who wait for an answer.
    asking: AtomicU64,
}

/// What operators know of one satellite.
#[derive(Clone)]
struct Card {
    token: Token,
    /// They do not know which token is valid, or whether the satellite is enabled.
    doubtful: bool,
    enabled: bool,
    /// Changes of its credentials that were begun.
    begun: u64,
}

impl Desk {
    /// The satellites that operators know.
    pub(super) fn satellites(&self) -> Vec<SatelliteId> {
        self.cards.lock().keys().copied().collect()
    }

    fn change(&self, id: SatelliteId, change: impl FnOnce(&mut Card)) {
        if let Some(card) = self.cards.lock().get_mut(&id) {
            change(card);
        }
    }

    /// A change of a satellite's credentials begins; it is not known which of two holds that run
    /// at once.
    fn begin(&self, id: SatelliteId) -> u64 {
        let mut begun = 0;
        self.change(id, |card| {
            card.begun += 1;
            begun = card.begun;
        });
        begun
    }

    fn end(&self, id: SatelliteId, begun: u64, is_known: bool) {
        self.change(id, |card| card.doubtful |= card.begun != begun || !is_known);
    }

    fn card(&self, id: SatelliteId) -> Option<Card> {
        self.cards.lock().get(&id).cloned()
    }
}

/// Somebody who asks things of pods.
pub(super) struct Operator {
    world: Arc<World>,
    dice: Dice,
    name: String,
}

/// Why an operator has no answer.
enum NoAnswer {
    /// Nobody answered, or not in time; it may be done nevertheless.
    Silence,
    /// It was not done, and why; or the pod does not know.
    Refusal(FleetError),
}

impl Operator {
    /// The `number`th operator.
    pub(super) fn new(world: &Arc<World>, number: u64) -> Self {
        let dice = Dice::new(world.seed, "operator", number);
        Self { world: world.clone(), dice, name: format!("operator {number}") }
    }

    fn actor(&self) -> Actor {
        Actor(self.name.clone())
    }

    /// Asks any pod that serves.
    async fn ask<T>(
        &self,
        what: impl AsyncFnOnce(GroundControl) -> Result<T, FleetError>,
    ) -> Result<T, NoAnswer> {
        let serving: Vec<_> = self.world.hosts.iter().filter_map(|host| host.pod()).collect();
        let Some((pod, process)) = self.dice.pick(&serving).cloned() else {
            sleep(Millis::from_secs(1).into()).await;
            return Err(NoAnswer::Silence);
        };
        let asking = &self.world.desk.asking;
        asking.fetch_add(1, Ordering::Relaxed);
        let answer = timeout(PATIENCE.into(), process.run(what(pod))).await;
        asking.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(Some(answer)) => answer.map_err(NoAnswer::Refusal),
            Ok(None) | Err(_) => Err(NoAnswer::Silence),
        }
    }

    /// Does things, now and then, as long as things go wrong.
    pub(super) async fn work(self) {
        loop {
            sleep(self.dice.about(self.world.parameters.between_operations).into()).await;
            if !self.world.is_stormy() {
                return;
            }
            let known = self.world.desk.satellites();
            let Some(id) = self.dice.pick(&known).copied() else {
                self.create().await;
                continue;
            };
            match self.dice.number(0..=13) {
                0 => drop(self.create().await),
                1 if known.len() > 1 => self.remove(id).await,
                1..=3 => self.rotate(id, None).await,
                4 | 5 => self.rotate_as_it_connects(id).await,
                6 | 7 => {
                    let overlap = self.dice.span(1_000..=60_000);
                    self.rotate(id, Some(overlap)).await;
                }
                8 | 9 => self.set_enabled(id, false).await,
                10 | 11 => self.set_enabled(id, true).await,
                _ => self.set_threshold(id).await,
            }
        }
    }

    /// Makes a satellite and starts its agent; false when that is not known to be done.
    pub(super) async fn create(&self) -> bool {
        let number = self.world.desk.names.fetch_add(1, Ordering::Relaxed) + 1;
        let (Ok(name), Ok(region)) = (format!("satellite-{number}").parse(), "orbit".parse())
        else {
            return false;
        };
        let request = SatelliteRequest {
            name,
            region,
            tags: Tags::default(),
            offline_threshold: self.some_threshold(),
            managed_by: None,
        };
        let answer = self.ask(async |pod| pod.create(request).await).await;
        let Ok(created) = answer else { return false };
        let id = created.view.stored.satellite.id;
        let card = Card { token: created.token.clone(), doubtful: false, enabled: true, begun: 0 };
        self.world.desk.cards.lock().insert(id, card);
        self.start_agent(id, created.token.clone(), false);
        if self.world.is_stormy() && self.dice.percent(self.world.parameters.doubled_agents) {
            let twin = self.start_agent(id, created.token, true);
            let span = self.dice.about(TWINS_FIGHT);
            tokio::spawn(async move {
                sleep(span.into()).await;
                twin.want(false);
            });
        }
        true
    }

    fn start_agent(&self, id: SatelliteId, token: Token, is_twin: bool) -> Arc<Agent> {
        let number = self.world.desk.agents.fetch_add(1, Ordering::Relaxed);
        let agent = Agent::new(&self.world, id, number, is_twin, token);
        self.world.agents.lock().push(agent.clone());
        agent.launch(&self.world);
        agent
    }

    fn some_threshold(&self) -> Option<Millis> {
        let intervals = self.dice.pick(&self.world.parameters.own_thresholds).copied();
        let interval = self.world.parameters.liveness.heartbeat_interval;
        intervals.filter(|intervals| *intervals > 0).map(|intervals| interval.times(intervals))
    }

    async fn remove(&self, id: SatelliteId) {
        self.world.step_of(id, || format!("{} removes it", self.name));
        let actor = self.actor();
        let answer = self.ask(async |pod| pod.remove(id, actor).await).await;
        match answer {
            Ok(()) | Err(NoAnswer::Refusal(FleetError::NotFound { .. })) => {
                self.world.desk.cards.lock().remove(&id);
                let agents = self.world.agents();
                agents.iter().filter(|agent| agent.id == id).for_each(|agent| agent.want(false));
            }
            Err(_) => {}
        }
    }

    async fn rotate(&self, id: SatelliteId, overlap: Option<Millis>) {
        self.world.step_of(id, || {
            let how = overlap.map_or("at once".to_owned(), |span| format!("within {span}"));
            format!("{} rotates its token {how}", self.name)
        });
        let (actor, begun) = (self.actor(), self.world.desk.begin(id));
        let answer = self.ask(async |pod| pod.rotate_token(id, overlap, actor).await).await;
        self.world.desk.end(id, begun, answer.is_ok());
        if let Ok(created) = answer {
            self.world.desk.change(id, |card| card.token = created.token.clone());
            let late = overlap.map_or(5_000, Millis::get);
            self.hand_out_after(id, self.dice.span(0..=late));
        }
    }

    /// The agent dials anew; a moment after it presented its token that token ends.
    async fn rotate_as_it_connects(&self, id: SatelliteId) {
        self.world.agents().iter().filter(|agent| agent.id == id).for_each(|agent| agent.redial());
        let first = RECONNECT_FIRST.get();
        sleep(self.dice.span(first * 3 / 4..=first * 7 / 4).into()).await;
        self.rotate(id, None).await;
    }

    fn hand_out_after(&self, id: SatelliteId, late: Millis) {
        let (world, at_once) = (self.world.clone(), self.dice.percent(50));
        tokio::spawn(async move {
            sleep(late.into()).await;
            hand_out(&world, id, at_once);
        });
    }

    async fn set_enabled(&self, id: SatelliteId, enabled: bool) {
        self.world.step_of(id, || format!("{} sets enabled: {enabled}", self.name));
        let (patch, actor) =
            (SatellitePatch { enabled: Some(enabled), ..SatellitePatch::default() }, self.actor());
        let begun = self.world.desk.begin(id);
        let answer = self.ask(async |pod| pod.update(id, patch, actor).await).await;
        let done = answer.is_ok();
        self.world.desk.end(id, begun, done);
        self.world.desk.change(id, |card| card.enabled = enabled);
        if enabled && done {
            hand_out(&self.world, id, false);
        }
    }

    async fn set_threshold(&self, id: SatelliteId) {
        let offline_threshold = Some(self.some_threshold());
        self.world.step_of(id, || format!("{} sets threshold {offline_threshold:?}", self.name));
        let patch = SatellitePatch { offline_threshold, ..SatellitePatch::default() };
        let actor = self.actor();
        let _ = self.ask(async |pod| pod.update(id, patch, actor).await).await;
    }

    /// Waits until nobody asks for anything any more, and nothing that was asked for is made
    /// later.
    pub(super) async fn let_settle(&self) {
        while self.world.desk.asking.load(Ordering::Relaxed) > 0 {
            sleep(Millis::from_secs(1).into()).await;
        }
        sleep(WRITTEN_WITHIN.into()).await;
    }

    /// Makes sure that every satellite is enabled and every agent has a token that is valid.
    pub(super) async fn tidy_up(&self) {
        for id in self.world.desk.satellites() {
            while let Some(card) = self.world.desk.card(id) {
                if self.world.judge.stored(id).is_none() {
                    self.world.desk.cards.lock().remove(&id);
                    let agents = self.world.agents();
                    let own = agents.iter().filter(|agent| agent.id == id);
                    own.for_each(|agent| agent.want(false));
                } else if card.doubtful {
                    self.world.desk.change(id, |card| card.doubtful = false);
                    self.set_enabled(id, true).await;
                    self.rotate(id, None).await;
                } else if !card.enabled {
                    self.set_enabled(id, true).await;
                } else {
                    break;
                }
            }
            hand_out(&self.world, id, false);
        }
    }
}

/// Gives the agents of a satellite the token that operators know.
fn hand_out(world: &World, id: SatelliteId, at_once: bool) {
    let Some(card) = world.desk.card(id) else { return };
    for agent in world.agents().iter().filter(|agent| agent.id == id) {
        agent.set_token(card.token.clone(), at_once);
    }
}
