//! Secrets for satellites where something goes wrong: clear answers, and nothing without a record.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::work::{assign, named};
use common::{Satellite, World, connect, create};
use groundcontrol::pod::{GroundControl, SecretPorts};
use groundcontrol_core::assignment::{Collector, Collectors, Json};
use groundcontrol_core::ports::{
    CheckUpdate, Order, SatelliteGateway as _, SecretDeliveryQuery, SecretDeliveryStore,
    SecretError, SecretService as _, SecretSource, StoreError, StoreResult, WorkService as _,
};
use groundcontrol_core::secrets::{Delivery, SecretName, SecretValue, Secrets, StoredDelivery};
use groundcontrol_core::session::{Answer, Request};
use groundcontrol_core::time::Timestamp;
use groundcontrol_memory::{MemorySecrets, MemoryStore};
use parking_lot::Mutex;
use tokio::time::sleep;

const LATER: Duration = Duration::from_secs(30);

/// How a source behaves.
#[derive(Clone, Copy, Debug, Default)]
enum Mood {
    #[default]
    Good,
    Away,
    Stalled,
    Panics,
}

#[derive(Default)]
struct Source {
    held: MemorySecrets,
    mood: Mutex<Mood>,
}

#[async_trait]
impl SecretSource for Source {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        let mood = *self.mood.lock();
        match mood {
            Mood::Good => {}
            Mood::Away => return Err(SecretError::Unavailable("https://me:hush@vault".into())),
            Mood::Stalled => sleep(Duration::from_secs(3_600)).await,
            Mood::Panics => panic!("planted"),
        }
        self.held.resolve(names).await
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        self.held.names().await
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        self.held.put(name, value).await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        self.held.delete(name).await
    }
}

/// A record that is sometimes out of reach.
struct Record {
    memory: MemoryStore,
    away: AtomicBool,
}

#[async_trait]
impl SecretDeliveryStore for Record {
    async fn record_deliveries(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { doing: "record", detail: "away".into() });
        }
        self.memory.record_deliveries(deliveries).await
    }

    async fn deliveries(&self, query: &SecretDeliveryQuery) -> StoreResult<Vec<StoredDelivery>> {
        self.memory.deliveries(query).await
    }

    async fn prune_deliveries(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.memory.prune_deliveries(before, limit).await
    }
}

struct Place {
    source: Arc<Source>,
    record: Arc<Record>,
    pod: GroundControl,
    satellite: Satellite,
    created: groundcontrol_core::ports::Created,
    request: Request,
}

/// A satellite that runs a check with one collector, whose environment is this text.
async fn place(text: &str) -> Place {
    let mut world = World::new();
    let source = Arc::new(Source::default());
    source.put(&"key".parse().unwrap(), &SecretValue::new("hush")).await.unwrap();
    let record = Arc::new(Record { memory: world.memory.clone(), away: AtomicBool::new(false) });
    world.secrets = Some(SecretPorts { source: source.clone(), deliveries: record.clone() });
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let assignment = assign(&pod, "x", named(&[created.view.stored.satellite.id])).await;
    let env = serde_json::json!({"secretEnv": {"KEY": text}}).to_string();
    let collector = Collector {
        id: "k".into(),
        collector_id: "script".into(),
        config: Json::trusted(env),
        assertions: Vec::new(),
    };
    let collectors = Some(Collectors::new(vec![collector]).unwrap());
    let update = CheckUpdate { collectors, ..CheckUpdate::default() };
    pod.update_check(assignment.check, update).await.unwrap();
    let satellite = connect(&pod, &created).await;
    let request = Request::RunSecrets {
        request_id: "q".into(),
        config_id: assignment.check.to_string(),
        collector_id: "k".into(),
        run_id: "r\u{0}".into(),
    };
    Place { source, record, pod, satellite, created, request }
}

impl Place {
    /// What the satellite was answered, after a while.
    async fn answer(&self) -> Result<String, String> {
        assert_eq!(self.pod.request(self.satellite.session, self.request.clone()), None);
        sleep(LATER).await;
        let answers = answers(&self.satellite);
        let [Answer::RunSecrets { request_id, env }] = &answers[..] else { panic!("{answers:?}") };
        assert_eq!(request_id, "q");
        env.clone().map(|env| env["KEY"].expose().to_owned())
    }

    async fn recorded(&self) -> Vec<Delivery> {
        let query = SecretDeliveryQuery { limit: 100, ..SecretDeliveryQuery::default() };
        let found = self.pod.secret_deliveries(query).await.unwrap();
        found.into_iter().map(|stored| stored.delivery).collect()
    }
}

fn answers(satellite: &Satellite) -> Vec<Answer> {
    let answer = |order| match order {
        Order::Answer(answer) => Some(*answer),
        _ => None,
    };
    satellite.orders.all().into_iter().filter_map(answer).collect()
}

#[tokio::test(start_paused = true)]
async fn a_place_gets_its_secret_and_the_delivery_is_on_record() {
    let place = place("Bearer ${{ secrets.key }}").await;
    assert_eq!(place.answer().await.as_deref(), Ok("Bearer hush"));
    let [delivery] = &place.recorded().await[..] else { panic!("one") };
    assert_eq!(delivery.satellite, place.satellite.id());
    assert_eq!(delivery.place.collector_id.as_deref(), Some("k"));
    assert_eq!((delivery.run_id.as_str(), &delivery.error), ("r ", &None));
    assert_eq!(delivery.names, ["key".parse().unwrap()]);
    assert!(!format!("{delivery:?}").contains("hush"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_away_is_told_without_what_it_said() {
    let place = place("${{ secrets.key }}").await;
    *place.source.mood.lock() = Mood::Away;
    let said = place.answer().await.unwrap_err();
    assert!(said.contains("try again later") && !said.contains("hush"), "{said}");
    assert_eq!(place.recorded().await[0].error, Some(said));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_given_up() {
    let place = place("${{ secrets.key }}").await;
    *place.source.mood.lock() = Mood::Stalled;
    let said = place.answer().await.unwrap_err();
    assert!(said.contains("try again later"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_a_source_takes_nobodys_answer() {
    let place = place("${{ secrets.key }}").await;
    *place.source.mood.lock() = Mood::Panics;
    let said = place.answer().await.unwrap_err();
    assert!(said.contains("fault of this server"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_on_record_is_not_delivered() {
    let place = place("${{ secrets.key }}").await;
    place.record.away.store(true, Ordering::Relaxed);
    let said = place.answer().await.unwrap_err();
    assert!(said.contains("on record"), "{said}");
    assert_eq!(place.recorded().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_superseded_session_goes_nowhere() {
    let place = place("${{ secrets.key }}").await;
    *place.source.mood.lock() = Mood::Stalled;
    assert_eq!(place.pod.request(place.satellite.session, place.request.clone()), None);
    let newer = connect(&place.pod, &place.created).await;
    sleep(LATER).await;
    assert_eq!((answers(&place.satellite), answers(&newer)), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_references_are_replaced_and_far_more_refused() {
    let many = place(&"${{ secrets.key }}".repeat(1_000)).await;
    assert_eq!(many.answer().await, Ok("hush".repeat(1_000)));
    let too_many = place(&"${{ secrets.key }}".repeat(10_001)).await;
    let said = too_many.answer().await.unwrap_err();
    assert!(said.contains("10000 references"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_without_secrets_says_so_at_once() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let request = Request::ConfigSecrets {
        request_id: "q".into(),
        config_id: "c".into(),
        run_id: "r".into(),
    };
    let answer = pod.request(satellite.session, request.clone());
    assert_eq!(answer, Some(request.unserved()));
}
