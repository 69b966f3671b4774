//! Rules on whole pods, with a receiver that a test plays: what lasts is told once, and that it is
//! over.

#![allow(clippy::unwrap_used, reason = "a helper that gets no answer has failed")]

mod common;

use std::time::Duration;

use common::site::{Site, make};
use common::{Satellite, connect, create};
use groundcontrol::pod::GroundControl;
use groundcontrol_core::automation::{
    AlertCall, AlertStanding, AlertSubject, EventFilter, Resolution, Rule, Webhook,
};
use groundcontrol_core::connection::{CloseReason, Event, EventKind, LifecycleEvent};
use groundcontrol_core::ports::{
    AlertQuery, DeliveryQuery, EventCursor, FeedItem, FleetError, FleetService as _, RuleRequest,
    RuleService as _, RuleUpdate, SatelliteStore as _, WebhookPatch, WebhookService as _,
};
use groundcontrol_core::time::Millis;
use tokio::time::{sleep, timeout};

const RESOLVED: AlertCall = AlertCall::Resolved(Resolution::Recovered);

fn request(webhook: &Webhook) -> RuleRequest {
    RuleRequest {
        name: "lost for five minutes".parse().unwrap(),
        active: true,
        filter: EventFilter::default(),
        lasts: Millis::from_secs(300),
        steady: Millis::ZERO,
        region_instead: false,
        webhook: webhook.id,
    }
}

/// A webhook that is told of alerts only.
async fn webhook(pod: &GroundControl) -> Webhook {
    let webhook = make(pod, "on call", EventFilter::default()).await;
    let patch = WebhookPatch { alerts_only: Some(true), ..WebhookPatch::default() };
    pod.update_webhook(webhook.id, patch).await.unwrap()
}

/// A pod, and a rule with its webhook.
async fn site_with_rule(
    change: impl FnOnce(RuleRequest) -> RuleRequest,
) -> (Site, GroundControl, Rule) {
    let site = Site::new();
    let pod = site.pod("a").await;
    let webhook = webhook(&pod).await;
    let rule = pod.create_rule(change(request(&webhook))).await.unwrap();
    (site, pod, rule)
}

/// Lets a satellite that says nothing be recorded as lost.
async fn lost(site: &Site, satellite: &Satellite) {
    site.world.edge(satellite.id(), LifecycleEvent::HeartbeatLost).await;
}

/// What was told of alerts: about whom, and what.
fn told(site: &Site) -> Vec<(String, AlertCall)> {
    let alerts = site.alerts();
    alerts.iter().map(|notice| (notice.subject.name().to_owned(), notice.call)).collect()
}

async fn standings(pod: &GroundControl, rule: &Rule) -> Vec<AlertStanding> {
    let query = AlertQuery { rule: rule.id, standing: None, after: None, limit: 1_000 };
    let found = pod.alerts(query).await.unwrap();
    found.iter().map(|alert| alert.state.standing()).collect()
}

async fn events(site: &Site) -> Vec<EventKind> {
    let all = site.world.memory.events_after(None, 10_000).await.unwrap();
    all.iter().filter_map(|one| Event::derive(&one.recorded)).map(|event| event.kind()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_lasts_is_told_and_told_again_when_it_is_over() {
    let (site, pod, rule) = site_with_rule(|rule| rule).await;
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    lost(&site, &satellite).await;
    site.world.until(|| async { !standings(&pod, &rule).await.is_empty() }).await;
    sleep(Duration::from_secs(290)).await;
    assert_eq!(told(&site), [], "it did not last yet");
    sleep(Duration::from_secs(15)).await;
    assert_eq!(told(&site), [("one".to_owned(), AlertCall::Firing)]);
    assert_eq!(standings(&pod, &rule).await, [AlertStanding::Firing]);
    satellite.beat();
    site.world.until(|| async { told(&site).len() == 2 }).await;
    assert_eq!(told(&site)[1], ("one".to_owned(), RESOLVED));
    assert_eq!(standings(&pod, &rule).await, []);
    let notices = site.alerts();
    assert_eq!(notices[0].alert, notices[1].alert);
    assert_eq!(notices[0].since, notices[1].since);
    assert_eq!(site.told().len(), 2, "of events themselves nothing is told");
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_is_over_in_time_is_told_to_nobody() {
    let (site, pod, rule) = site_with_rule(|rule| rule).await;
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    lost(&site, &satellite).await;
    sleep(Duration::from_secs(280)).await;
    let back = connect(&pod, &created).await;
    back.beat_for(Duration::from_secs(900)).await;
    assert_eq!(told(&site), []);
    assert_eq!(standings(&pod, &rule).await, []);
}

#[tokio::test(start_paused = true)]
async fn what_waits_survives_the_pod_that_saw_it_and_is_told_once() {
    let (site, pod, _) = site_with_rule(|rule| rule).await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    lost(&site, &satellite).await;
    sleep(Duration::from_secs(100)).await;
    pod.drain().await;
    sleep(Duration::from_secs(60)).await;
    let _others = [site.pod("b").await, site.pod("c").await, site.pod("d").await];
    sleep(Duration::from_secs(900)).await;
    assert_eq!(told(&site), [("one".to_owned(), AlertCall::Firing)]);
}

#[tokio::test(start_paused = true)]
async fn of_several_pods_each_alert_is_told_once() {
    let (site, pod, _) = site_with_rule(|rule| RuleRequest { lasts: Millis::ZERO, ..rule }).await;
    let _others = [site.pod("b").await, site.pod("c").await];
    let mut satellites = Vec::new();
    for number in 0..20 {
        let created = create(&pod, &format!("satellite {number:02}")).await;
        satellites.push(connect(&pod, &created).await);
    }
    for satellite in &satellites {
        lost(&site, satellite).await;
    }
    site.world.until(|| async { told(&site).len() >= 20 }).await;
    for satellite in &satellites {
        satellite.beat();
    }
    site.world.until(|| async { told(&site).len() >= 40 }).await;
    sleep(Duration::from_secs(30)).await;
    let mut all = told(&site);
    assert_eq!(all.len(), 40);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 40, "none is told twice");
}

#[tokio::test(start_paused = true)]
async fn a_satellite_that_flaps_is_one_alert_until_it_is_steady() {
    let (site, pod, rule) = site_with_rule(|rule| RuleRequest {
        lasts: Millis::from_secs(10),
        steady: Millis::from_secs(120),
        ..rule
    })
    .await;
    let created = create(&pod, "one").await;
    let mut satellite = connect(&pod, &created).await;
    for _ in 0..4 {
        lost(&site, &satellite).await;
        sleep(Duration::from_secs(20)).await;
        satellite = connect(&pod, &created).await;
    }
    assert_eq!(told(&site), [("one".to_owned(), AlertCall::Firing)]);
    site.world
        .until(|| async { standings(&pod, &rule).await == [AlertStanding::Recovering] })
        .await;
    satellite.beat_for(Duration::from_secs(150)).await;
    assert_eq!(told(&site)[1..], [("one".to_owned(), RESOLVED)]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_paused_or_removed_tells_that_what_it_told_of_is_over() {
    let (site, pod, rule) =
        site_with_rule(|rule| RuleRequest { lasts: Millis::ZERO, ..rule }).await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    lost(&site, &satellite).await;
    site.world.until(|| async { told(&site).len() == 1 }).await;
    let paused = RuleUpdate { active: Some(false), ..RuleUpdate::default() };
    pod.update_rule(rule.id, paused).await.unwrap();
    site.world.until(|| async { told(&site).len() == 2 }).await;
    let ended = AlertCall::Resolved(Resolution::RuleEnded);
    assert_eq!(told(&site)[1].1, ended);
    let resumed = RuleUpdate { active: Some(true), ..RuleUpdate::default() };
    pod.update_rule(rule.id, resumed).await.unwrap();
    satellite.beat();
    lost(&site, &satellite).await;
    site.world.until(|| async { told(&site).len() == 3 }).await;
    pod.remove_rule(rule.id).await.unwrap();
    site.world.until(|| async { told(&site).len() == 4 }).await;
    assert_eq!(told(&site)[3].1, ended);
    assert_eq!(pod.rule(rule.id).await, Err(FleetError::NotFound { what: "rule" }));
}

#[tokio::test(start_paused = true)]
async fn a_satellite_that_is_removed_leaves_no_alert_behind() {
    let (site, pod, rule) =
        site_with_rule(|rule| RuleRequest { lasts: Millis::ZERO, ..rule }).await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    lost(&site, &satellite).await;
    site.world.until(|| async { told(&site).len() == 1 }).await;
    pod.remove(satellite.id(), common::actor()).await.unwrap();
    site.world.until(|| async { told(&site).len() == 2 }).await;
    assert_eq!(told(&site)[1].1, AlertCall::Resolved(Resolution::Removed));
    assert_eq!(standings(&pod, &rule).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_rule_may_watch_for_satellites_that_left() {
    let (site, pod, _) = site_with_rule(|rule| RuleRequest {
        filter: EventFilter { events: [EventKind::Disconnected].into(), ..EventFilter::default() },
        lasts: Millis::from_secs(60),
        ..rule
    })
    .await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    satellite.close(CloseReason::ClientClosed).await;
    site.world.until(|| async { told(&site).len() == 1 }).await;
    let notice = site.alerts().remove(0);
    assert_eq!((notice.event, notice.call), (EventKind::Disconnected, AlertCall::Firing));
    assert_eq!(notice.at.since(notice.since).get() / 10_000, 6, "a minute later");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_a_rule_tells_is_not_removed() {
    let (_, pod, rule) = site_with_rule(|rule| rule).await;
    let refused = pod.remove_webhook(rule.webhook).await.unwrap_err();
    assert!(refused.to_string().contains("lost for five minutes"), "{refused}");
    pod.remove_rule(rule.id).await.unwrap();
    assert_eq!(pod.remove_webhook(rule.webhook).await, Ok(()));
}

/// Lets satellites send heartbeats from now on.
fn keep_beating(satellites: &[Satellite]) {
    let same = |satellite: &Satellite| Satellite {
        pod: satellite.pod.clone(),
        session: satellite.session,
        orders: satellite.orders.clone(),
    };
    let talking: Vec<_> = satellites.iter().map(same).collect();
    tokio::spawn(async move {
        loop {
            talking.iter().for_each(Satellite::beat);
            sleep(Duration::from_secs(15)).await;
        }
    });
}

/// A region with ten satellites, and the first so many of them silent.
async fn region(site: &Site, pod: &GroundControl, silent: usize) -> Vec<Satellite> {
    let mut satellites = Vec::new();
    for number in 0..10 {
        let created = create(pod, &format!("satellite {number}")).await;
        satellites.push(connect(pod, &created).await);
    }
    keep_beating(&satellites[silent..]);
    for satellite in &satellites[..silent] {
        lost(site, satellite).await;
    }
    satellites
}

#[tokio::test(start_paused = true)]
async fn the_loss_of_more_than_the_share_is_one_event_of_the_region() {
    let site = Site::new();
    let (pod, other) = (site.pod("a").await, site.pod("b").await);
    let mut feed = other.events(Some(EventCursor::default())).await.unwrap();
    region(&site, &pod, 6).await;
    let loss = async {
        loop {
            if let Some(FeedItem::Event { event, .. }) = feed.next().await
                && let Event::RegionLoss(loss) = *event
            {
                return loss;
            }
        }
    };
    let loss = timeout(Duration::from_secs(60), loss).await.unwrap();
    assert_eq!((loss.region.as_str(), loss.lost, loss.total, loss.seq.0), ("eu", 6, 10, 1));
    sleep(Duration::from_secs(600)).await;
    let all = events(&site).await;
    let count = all.iter().filter(|kind| **kind == EventKind::RegionLossSuspected).count();
    assert_eq!(count, 1, "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn the_loss_of_half_is_no_event_of_the_region() {
    let site = Site::new();
    let pod = site.pod("a").await;
    region(&site, &pod, 5).await;
    sleep(Duration::from_secs(60)).await;
    let all = events(&site).await;
    assert!(!all.contains(&EventKind::RegionLossSuspected), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn losses_that_are_far_apart_are_no_loss_of_the_region() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let satellites = region(&site, &pod, 4).await;
    sleep(Duration::from_secs(600)).await;
    for satellite in &satellites[4..] {
        satellite.close(CloseReason::ClientClosed).await;
    }
    sleep(Duration::from_secs(60)).await;
    let all = events(&site).await;
    assert!(!all.contains(&EventKind::RegionLossSuspected), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_can_tell_of_the_region_instead_of_each_of_its_satellites() {
    let (site, pod, rule) = site_with_rule(|rule| RuleRequest {
        lasts: Millis::from_secs(60),
        region_instead: true,
        ..rule
    })
    .await;
    let satellites = region(&site, &pod, 8).await;
    site.world.until(|| async { !told(&site).is_empty() }).await;
    sleep(Duration::from_secs(120)).await;
    assert_eq!(told(&site), [("eu".to_owned(), AlertCall::Firing)]);
    assert!(matches!(site.alerts()[0].subject, AlertSubject::Region(_)));
    let held = |standings: &[AlertStanding]| {
        standings.iter().filter(|one| **one == AlertStanding::Held).count()
    };
    assert_eq!(held(&standings(&pod, &rule).await), 8);
    for satellite in &satellites[..7] {
        satellite.beat();
    }
    site.world.until(|| async { told(&site).len() >= 3 }).await;
    let mut rest = told(&site).split_off(1);
    rest.sort();
    let one = ("satellite 7".to_owned(), AlertCall::Firing);
    assert_eq!(rest, [("eu".to_owned(), RESOLVED), one], "who is lost still is told of then");
    sleep(Duration::from_secs(30)).await;
    assert_eq!(told(&site).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_region_stays_lost_when_its_sockets_are_given_up() {
    let (site, pod, _) = site_with_rule(|rule| RuleRequest {
        lasts: Millis::from_secs(300),
        region_instead: true,
        ..rule
    })
    .await;
    let satellites = region(&site, &pod, 8).await;
    for satellite in &satellites[..8] {
        satellite.close(CloseReason::IdleTimeout).await;
    }
    site.world.until(|| async { !told(&site).is_empty() }).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(told(&site), [("eu".to_owned(), AlertCall::Firing)]);
}

#[tokio::test(start_paused = true)]
async fn those_who_do_not_come_back_keep_their_region_lost_for_a_while_only() {
    let (site, pod, rule) = site_with_rule(|rule| RuleRequest {
        lasts: Millis::from_secs(60),
        region_instead: true,
        ..rule
    })
    .await;
    let satellites = region(&site, &pod, 6).await;
    site.world.until(|| async { told(&site).len() == 1 }).await;
    keep_beating(&satellites[..3]);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(told(&site).len(), 1, "a third of the region is at the brink");
    site.world.until(|| async { told(&site).len() > 1 }).await;
    let over = told(&site).contains(&("eu".to_owned(), RESOLVED));
    assert!(over, "{:?}", told(&site));
    site.world
        .until(|| async { !standings(&pod, &rule).await.contains(&AlertStanding::Held) })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_does_not_tell_of_a_region_holds_none_of_its_satellites() {
    let (site, pod, rule) =
        site_with_rule(|rule| RuleRequest { lasts: Millis::ZERO, ..rule }).await;
    let satellites = region(&site, &pod, 8).await;
    site.world.until(|| async { told(&site).len() == 8 }).await;
    let update = RuleUpdate { region_instead: Some(true), ..RuleUpdate::default() };
    pod.update_rule(rule.id, update).await.unwrap();
    satellites[8].close(CloseReason::ConnectionLost).await;
    let back = connect(&pod, &create(&pod, "late").await).await;
    lost(&site, &back).await;
    site.world.until(|| async { told(&site).iter().any(|(name, _)| name == "late") }).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_that_it_fires_is_told_that_it_is_over() {
    let (site, pod, rule) =
        site_with_rule(|rule| RuleRequest { lasts: Millis::ZERO, ..rule }).await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    lost(&site, &satellite).await;
    site.world.until(|| async { told(&site).len() == 1 }).await;
    let other = make(&pod, "other", EventFilter::default()).await;
    let update = RuleUpdate { webhook: Some(other.id), ..RuleUpdate::default() };
    pod.update_rule(rule.id, update).await.unwrap();
    satellite.beat();
    site.world.until(|| async { told(&site).len() == 2 }).await;
    let query = |webhook| DeliveryQuery { webhook, state: None, after: None, limit: 100 };
    let of_alerts = async |webhook| {
        let found = pod.deliveries(query(webhook)).await.unwrap();
        found.iter().filter(|delivery| delivery.alert.is_some()).count()
    };
    assert_eq!((of_alerts(rule.webhook).await, of_alerts(other.id).await), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_region_can_be_lost_a_second_time() {
    let site = Site::new();
    let pod = site.pod("a").await;
    let satellites = region(&site, &pod, 8).await;
    let losses = || async {
        let all = events(&site).await;
        all.iter().filter(|kind| **kind == EventKind::RegionLossSuspected).count()
    };
    site.world.until(|| async { losses().await == 1 }).await;
    satellites[..8].iter().for_each(Satellite::beat);
    sleep(Duration::from_secs(10)).await;
    for satellite in &satellites[..8] {
        lost(&site, satellite).await;
    }
    site.world.until(|| async { losses().await == 2 }).await;
}
