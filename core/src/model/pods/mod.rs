//! Pods that share a store: they read, decide and conditionally write in steps that a schedule
//! interleaves, while messages are delayed, doubled, reordered and lost, pods crash between any
//! two steps and restart empty, and every pod has an error in what it takes for the store time.
//!
//! It runs on any [`SatelliteStore`], so it is a proof of the adapter as much as of the rules.
//! Nothing here knows a runtime; the tests of an adapter await [`Pods::run`] in theirs.

mod action;
mod time;
mod pod;
mod task;
mod truth;
mod perform;
mod observe;
mod rest;
mod bug;
mod faulty;
mod prove;

pub use action::{Action, actions, actions_about};
pub use bug::PodBug;
pub use faulty::{FaultyStore, StoreBug};
pub use time::StoreTime;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

use self::pod::{Pod, Socket};
use self::task::Task;
use self::truth::Truth;
use super::{Fault, LEASE, Property, Rules, START, SoundRules, THRESHOLD};
use crate::ports::{NewSatellite, SatelliteStore, StoreError};
use crate::satellite::{
    HashedToken, Liveness, ReportedAgent, Satellite, SatelliteId, SessionId, Tags, Token,
    TokenHash, TokenId,
};
use crate::time::{Millis, Timestamp};

/// Some pods, one satellite, and a store that is asked for nothing else.
pub struct Pods {
    /// Handles to one store, never none; every call goes through the next of them.
    stores: Vec<Arc<dyn SatelliteStore>>,
    turn: AtomicUsize,
    rules: Arc<dyn Rules>,
    bug: Option<PodBug>,
    satellite: SatelliteId,
    /// The store time as it is.
    now: Timestamp,
    time: StoreTime,
    pods: Vec<Pod>,
    tasks: Vec<Task>,
    sockets: Vec<Socket>,
    truth: Truth,
    names: u128,
}

/// A run that broke a property.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at action {index}")]
pub struct BrokenRun {
    /// The property, and how that was seen.
    pub fault: Fault,
    /// The index of the action that broke it; the number of actions when it was what came after.
    pub index: usize,
}

impl Pods {
    /// `count` pods on `store`, which must be empty.
    pub async fn on(store: Arc<dyn SatelliteStore>, count: usize) -> Result<Self, StoreError> {
        Self::misbehaving(store, count, Arc::new(SoundRules), None).await
    }

    /// The same with other rules, or with a bug in what the pods do.
    pub async fn misbehaving(
        store: Arc<dyn SatelliteStore>,
        count: usize,
        rules: Arc<dyn Rules>,
        bug: Option<PodBug>,
    ) -> Result<Self, StoreError> {
        let mut pods = Self {
            stores: vec![store],
            turn: AtomicUsize::new(0),
            rules,
            bug,
            satellite: SatelliteId(Uuid::from_u128(0x5a7e)),
            now: START,
            time: StoreTime::default(),
            pods: (0..count).map(|number| Pod::new(number, count)).collect(),
            tasks: Vec::new(),
            sockets: Vec::new(),
            truth: Truth::default(),
            names: 0,
        };
        let interval = LEASE;
        let liveness = Liveness { heartbeat_interval: interval, default_threshold: THRESHOLD };
        pods.store().set_liveness(liveness).await?;
        let token = pods.new_token();
        pods.truth.begin(token.id);
        let satellite = pods.described();
        pods.store().create(NewSatellite { satellite, token }).await?;
        Ok(pods)
    }

    /// The same with another handle to the same store, as another pod has it. Every call goes
    /// through another handle than the one before, so that each must see what all others did.
    #[must_use]
    pub fn with_handle(mut self, store: Arc<dyn SatelliteStore>) -> Self {
        self.stores.push(store);
        self
    }

    /// The same on a store that has `time` for its own clock.
    #[must_use]
    pub fn with_time(self, time: StoreTime) -> Self {
        Self { time, ..self }
    }

    /// Performs `actions` in their order, then lets everything come to rest, and checks all
    /// properties after each step.
    pub async fn run(&mut self, actions: &[Action]) -> Result<(), BrokenRun> {
        for (index, action) in actions.iter().enumerate() {
            self.perform(*action).await.map_err(|fault| BrokenRun { fault, index })?;
        }
        let index = actions.len();
        self.come_to_rest().await.map_err(|fault| BrokenRun { fault, index })
    }

    fn store(&self) -> &dyn SatelliteStore {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.stores[turn % self.stores.len()].as_ref()
    }

    fn described(&self) -> Satellite {
        Satellite {
            id: self.satellite,
            name: "model".parse().expect("a short word is a name"),
            region: "nowhere".parse().expect("a short word is a region"),
            tags: Tags::default(),
            own_threshold: None,
            enabled: true,
            agent: ReportedAgent::default(),
            managed_by: None,
            created_at: self.now,
        }
    }

    fn new_token(&mut self) -> HashedToken {
        let id = TokenId(self.next_name());
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(id.0.as_bytes());
        HashedToken { id, hash: TokenHash::of(&Token::for_satellite(bytes)), expires_at: None }
    }

    fn new_session(&mut self) -> SessionId {
        SessionId(self.next_name())
    }

    fn next_name(&mut self) -> Uuid {
        self.names += 1;
        Uuid::from_u128(0x11_0000 + self.names)
    }

    fn pod_of(&self, pod: u8) -> usize {
        usize::from(pod) % self.pods.len()
    }

    /// What `pod` takes for the store time; it never runs backwards.
    fn stamp(&mut self, pod: usize) -> Timestamp {
        let now = self.now;
        let wall = self.bug == Some(PodBug::StampsByWallClock);
        self.pods[pod].stamp(now, wall)
    }

    /// An answer of a store that promised to give one.
    fn answer<T>(result: Result<T, StoreError>) -> Result<T, Fault> {
        result.map_err(|error| Fault::new(Property::Table, format!("the store failed: {error}")))
    }

    fn pass(&mut self, span: Millis) {
        self.now = self.now + span;
        self.time.set(self.now);
    }
}
