//! Webhooks on whole pods, with a receiver that a test plays: order, retries, leases, pauses.

#![allow(clippy::unwrap_used, reason = "a helper that gets no answer has failed")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::site::{FAILED, Site, make, told_of};
use common::{Satellite, World, connect, create};
use groundcontrol::pod::GroundControl;
use groundcontrol_core::automation::{Answer, DeliveryState, EventFilter, PauseReason, WebhookId};
use groundcontrol_core::connection::{CloseReason, EventKind};
use groundcontrol_core::limits::WEBHOOK_FAILING_BEFORE_PAUSE;
use groundcontrol_core::ports::{
    DeliveryQuery, FeedItem, FleetError, FleetService as _, Redelivery, SatellitePatch,
    SatelliteUpdate, Signal, WebhookPatch, WebhookService as _,
};
use groundcontrol_core::satellite::{SatelliteId, Seq, Tags};
use groundcontrol_core::time::Millis;
use tokio::time::{sleep, timeout};

/// A satellite that came and went so many times: two events each time.
async fn restless(pod: &GroundControl, name: &str, times: usize) -> Satellite {
    let created = create(pod, name).await;
    let mut satellite = connect(pod, &created).await;
    for turn in 1..=times {
        satellite.close(CloseReason::ClientClosed).await;
        if turn < times {
            satellite = connect(pod, &created).await;
        }
    }
    satellite
}

async fn deliveries(
    pod: &GroundControl,
    webhook: WebhookId,
    state: DeliveryState,
) -> Vec<(SatelliteId, Seq)> {
    let query = DeliveryQuery { webhook, state: Some(state), after: None, limit: 1_000 };
    let found = pod.deliveries(query).await.unwrap();
    found.iter().map(|one| (SatelliteId(one.context.0), one.seq)).collect()
}

async fn paused(pod: &GroundControl, id: WebhookId) -> Option<PauseReason> {
    pod.webhook(id).await.unwrap().health.paused
}

#[tokio::test(start_paused = true)]
async fn e3_every_event_is_told_in_order_for_each_satellite_and_logged() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    for name in ["one", "two", "three"] {
        restless(&pod, name, 3).await;
    }
    site.until_told(18).await;
    let mut seqs: BTreeMap<SatelliteId, Vec<u64>> = BTreeMap::new();
    for (satellite, seq) in site.told() {
        seqs.entry(satellite).or_default().push(seq);
    }
    assert!(seqs.values().all(|seqs| *seqs == [1, 2, 3, 4, 5, 6]), "{seqs:?}");
    let delivered = || async { deliveries(&pod, webhook.id, DeliveryState::Delivered).await };
    site.world.until(|| async { delivered().await.len() == 18 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_told_of_what_it_wants_and_of_nothing_else() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let tags: Tags = Tags::new(BTreeMap::from([("tier".to_owned(), "edge".to_owned())])).unwrap();
    let wanted = EventFilter {
        events: [EventKind::Disconnected].into(),
        tags: "tier=edge".parse().unwrap(),
        ..EventFilter::default()
    };
    make(&pod, "edge", wanted).await;
    let edge = create(&pod, "edge").await;
    let update = SatelliteUpdate { tags: Some(tags), ..SatelliteUpdate::default() };
    let patch = SatellitePatch { update, ..SatellitePatch::default() };
    pod.update(edge.view.stored.satellite.id, patch, common::actor()).await.unwrap();
    restless(&pod, "core", 2).await;
    let satellite = connect(&pod, &edge).await;
    satellite.close(CloseReason::ClientClosed).await;
    site.until_told(1).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(site.told(), [(satellite.id(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_event_is_tried_again_and_holds_up_only_its_own_satellite() {
    let site = Site::new();
    let pod = site.pod("a").await;
    make(&pod, "all", EventFilter::default()).await;
    let held = create(&pod, "held").await;
    let held_id = held.view.stored.satellite.id;
    site.answer(move |request| match told_of(request).0 == held_id {
        true => FAILED,
        false => Answer::Accepted,
    });
    let satellite = connect(&pod, &held).await;
    satellite.close(CloseReason::ClientClosed).await;
    restless(&pod, "free", 2).await;
    site.until_told(5).await;
    let of_held = |site: &Site| -> Vec<u64> {
        let told = site.told().into_iter();
        told.filter(|(id, _)| *id == held_id).map(|(_, seq)| seq).collect()
    };
    assert_eq!(of_held(&site), [1], "the second event waits behind the first");
    sleep(Duration::from_secs(60)).await;
    assert!(of_held(&site).len() >= 2 && of_held(&site).iter().all(|seq| *seq == 1));
    site.answer(|_| Answer::Accepted);
    site.world.until(|| async { of_held(&site).last() == Some(&2) }).await;
}

#[tokio::test(start_paused = true)]
async fn of_several_pods_one_tells_each_event_once() {
    let site = Site::new();
    let pods = [site.pod("a").await, site.pod("b").await, site.pod("c").await];
    make(&pods[0], "all", EventFilter::default()).await;
    for (at, pod) in pods.iter().enumerate() {
        restless(pod, &format!("satellite {at}"), 4).await;
    }
    site.until_told(24).await;
    sleep(Duration::from_secs(60)).await;
    let mut told = site.told();
    told.sort_unstable();
    let count = told.len();
    told.dedup();
    assert_eq!((count, told.len()), (24, 24));
}

#[tokio::test(start_paused = true)]
async fn what_a_pod_leaves_behind_another_tells() {
    let site = Site::new();
    let pod = site.pod("a").await;
    make(&pod, "all", EventFilter::default()).await;
    *site.receiver.takes.lock() = Duration::from_secs(3_600);
    restless(&pod, "one", 1).await;
    sleep(Duration::from_secs(2)).await;
    // Dies in the middle of a request: nothing of it is heard any more.
    pod.drain().await;
    assert!(site.told().is_empty());
    *site.receiver.takes.lock() = Duration::from_millis(1);
    let _other = site.pod("b").await;
    site.until_told(2).await;
    assert_eq!(site.told().iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_delays_no_other_webhook() {
    let site = Site::new();
    let pod = site.pod("a").await;
    make(&pod, "one", EventFilter::default()).await;
    make(
        &pod,
        "two",
        EventFilter { events: [EventKind::Removed].into(), ..EventFilter::default() },
    )
    .await;
    *site.receiver.takes.lock() = Duration::from_secs(9);
    restless(&pod, "slow", 3).await;
    sleep(Duration::from_secs(1)).await;
    *site.receiver.takes.lock() = Duration::from_millis(1);
    let gone = create(&pod, "gone").await.view.stored.satellite.id;
    pod.remove(gone, common::actor()).await.unwrap();
    timeout(Duration::from_secs(5), site.until_told(1)).await.unwrap();
    assert!(site.told().contains(&(gone, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_wants_no_more_is_paused_with_a_signal_and_goes_on_where_it_was() {
    let site = Site::new();
    let (pod, other) = (site.pod("a").await, site.pod("b").await);
    let webhook = make(&pod, "all", EventFilter::default()).await;
    let mut feed = other.events(None).await.unwrap();
    site.answer(|_| Answer::Gone);
    restless(&pod, "one", 1).await;
    site.world.until(|| async { paused(&pod, webhook.id).await.is_some() }).await;
    assert_eq!(paused(&pod, webhook.id).await, Some(PauseReason::Gone));
    let signal = async {
        loop {
            if let Some(FeedItem::Signal(Signal::WebhookPaused { webhook })) = feed.next().await {
                return webhook;
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(10), signal).await.unwrap(), webhook.id);
    let told = site.told().len();
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(site.told().len(), told, "a paused webhook is told nothing");
    site.answer(|_| Answer::Accepted);
    let patch = WebhookPatch { active: Some(true), ..WebhookPatch::default() };
    pod.update_webhook(webhook.id, patch).await.unwrap();
    site.until_told(told + 2).await;
    let seqs: Vec<_> = site.told()[told..].iter().map(|(_, seq)| *seq).collect();
    assert_eq!(seqs, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_fails_for_a_whole_day_is_paused() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    site.answer(|_| FAILED);
    restless(&pod, "one", 1).await;
    let almost = Duration::from(WEBHOOK_FAILING_BEFORE_PAUSE) - Duration::from_secs(600);
    sleep(almost).await;
    assert_eq!(paused(&pod, webhook.id).await, None);
    sleep(Duration::from_secs(2 * 24 * 3_600)).await;
    assert_eq!(paused(&pod, webhook.id).await, Some(PauseReason::Failing));
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_can_be_delivered_again_one_or_all_since_a_time() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    let satellite = restless(&pod, "one", 2).await;
    let delivered = || async { deliveries(&pod, webhook.id, DeliveryState::Delivered).await };
    site.world.until(|| async { delivered().await.len() == 4 }).await;
    let one = Redelivery::One(satellite.id().into(), Seq(3));
    assert_eq!(pod.redeliver(webhook.id, one).await, Ok(1));
    site.until_told(5).await;
    assert_eq!(site.told()[4], (satellite.id(), 3));
    site.world.until(|| async { delivered().await.len() == 4 }).await;
    let all = Redelivery::Since(webhook.created_at);
    assert_eq!(pod.redeliver(webhook.id, all).await, Ok(4));
    site.until_told(9).await;
    assert_eq!(site.told()[5..].iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let never = Redelivery::One(satellite.id().into(), Seq(77));
    let refused = pod.redeliver(webhook.id, never).await;
    assert_eq!(refused, Err(FleetError::NotFound { what: "delivery" }));
}

#[tokio::test(start_paused = true)]
async fn during_a_rotation_both_secrets_sign_and_after_it_only_the_new_one() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    let old = webhook.secrets[0].secret.clone();
    let (_, new) = pod.rotate_secret(webhook.id, Millis::from_secs(60)).await.unwrap();
    pod.test_webhook(webhook.id).await.unwrap();
    assert_eq!(site.receiver.told.lock()[0].secrets, [new.clone(), old]);
    sleep(Duration::from_secs(61)).await;
    pod.test_webhook(webhook.id).await.unwrap();
    assert_eq!(site.receiver.told.lock()[1].secrets, [new]);
}

#[tokio::test(start_paused = true)]
async fn a_sample_is_told_apart_from_what_happened() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    assert_eq!(pod.test_webhook(webhook.id).await.unwrap().answer, Answer::Accepted);
    let told = site.receiver.told.lock();
    assert!(told[0].notice.id().starts_with("test:") && told_of(&told[0]).0.0.is_nil());
}

#[tokio::test(start_paused = true)]
async fn a_url_that_may_not_be_asked_is_refused_at_once() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = make(&pod, "all", EventFilter::default()).await;
    let url = Some("https://refused.example".parse().unwrap());
    let patch = WebhookPatch { url, ..WebhookPatch::default() };
    let Err(FleetError::Invalid(faults)) = pod.update_webhook(webhook.id, patch).await else {
        panic!("taken");
    };
    assert_eq!(faults[0].pointer, "/url");
}

#[tokio::test(start_paused = true)]
async fn a_pod_without_webhooks_says_so() {
    let world = World::new();
    let pod = world.pod("a").await;
    let refused = pod.webhooks(None, 10).await;
    assert_eq!(refused, Err(FleetError::NotOffered { what: "webhooks" }));
}
