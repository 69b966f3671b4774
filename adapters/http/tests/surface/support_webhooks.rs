//! Webhooks and rules that do whatever they are asked, and what they and explanations answer with.

use std::sync::Arc;

use axum::body::Body;
use groundcontrol_core::automation::{
    Alert, AlertId, AlertState, AlertSubject, Answer as Meaning, ContentMode, DeliveryState,
    EventFilter, Health, KeptSecret, NoticeKind, PauseReason, Rule, RuleId, SigningSecret, Webhook,
    WebhookHeaders, WebhookId,
};
use groundcontrol_core::connection::{
    Cause, ClockReading, ConnectionRecord, Event, EventKind, Explanation, Facts, RegionLoss,
    SatelliteEvent, Transition, WatchSpan, explain,
};
use groundcontrol_core::ports::{
    AttemptSeen, Delivery, MockRuleService, MockWebhookService, SendReport,
};
use groundcontrol_core::satellite::{Epoch, Liveness, PodName, Seq, SessionId};
use groundcontrol_core::time::Millis;
use groundcontrol_http::{HttpSettings, Services, router};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::*;

pub(crate) fn willing_webhooks() -> MockWebhookService {
    let mut webhooks = MockWebhookService::new();
    webhooks.expect_create_webhook().returning(|_| Ok((webhook(), signing_secret())));
    webhooks.expect_webhook().returning(|_| Ok(webhook()));
    webhooks.expect_webhooks().returning(|_, _| Ok(vec![webhook()]));
    webhooks.expect_update_webhook().returning(|_, _| Ok(webhook()));
    webhooks.expect_remove_webhook().returning(|_| Ok(()));
    webhooks.expect_rotate_secret().returning(|_, _| Ok((webhook(), signing_secret())));
    webhooks
        .expect_test_webhook()
        .returning(|_| Ok(SendReport { answer: Meaning::Accepted, seen: seen() }));
    webhooks.expect_deliveries().returning(|_| Ok(vec![delivery(7)]));
    webhooks.expect_redeliver().returning(|_, _| Ok(3));
    webhooks
}

pub(crate) fn willing_rules() -> MockRuleService {
    let mut rules = MockRuleService::new();
    rules.expect_create_rule().returning(|_| Ok(rule()));
    rules.expect_rule().returning(|_| Ok(rule()));
    rules.expect_rules().returning(|_, _| Ok(vec![rule()]));
    rules.expect_update_rule().returning(|_, _| Ok(rule()));
    rules.expect_remove_rule().returning(|_| Ok(()));
    let firing = AlertState::Firing { at: at(7) };
    rules.expect_alerts().returning(move |_| Ok(vec![alert(1, firing), region_alert(firing)]));
    rules
}

/// A rule that has everything that a rule can have.
pub(crate) fn rule() -> Rule {
    let watched = EventFilter { events: [EventKind::HeartbeatLost].into(), ..webhook().filter };
    Rule {
        id: RuleId(id().0),
        name: "a".parse().unwrap(),
        active: true,
        removed: false,
        filter: watched,
        lasts: Millis::from_secs(300),
        steady: Millis::from_secs(60),
        region_instead: true,
        webhook: WebhookId(id().0),
        created_at: at(0),
    }
}

/// An alert about a satellite that began at this second.
pub(crate) fn alert(second: i64, state: AlertState) -> Alert {
    let (name, region) = ("a".parse().unwrap(), "eu".parse().unwrap());
    let subject = AlertSubject::Satellite { id: id(), name, region };
    let rule = RuleId(id().0);
    let alert = AlertId::of(rule, subject.context(), Seq(1));
    Alert {
        id: alert,
        rule,
        subject,
        event: EventKind::HeartbeatLost,
        since: at(second),
        state,
        told: None,
    }
}

fn region_alert(state: AlertState) -> Alert {
    let subject = AlertSubject::Region("eu".parse().unwrap());
    Alert { subject, event: EventKind::RegionLossSuspected, ..alert(2, state) }
}

/// The event of a transition.
pub(crate) fn derived(transition: Transition) -> Event {
    Event::Satellite(SatelliteEvent::derive(&transition).unwrap())
}

pub(crate) fn region_loss() -> Event {
    Event::RegionLoss(RegionLoss {
        region: "eu / north".parse().unwrap(),
        seq: Seq(2),
        since: at(1),
        occurred_at: at(3),
        lost: 2,
        total: 3,
        window: Millis::from_secs(60),
        pod: PodName::new("pod-1"),
    })
}

pub(crate) fn signing_secret() -> SigningSecret {
    SigningSecret::new([7; 32])
}

/// A webhook that has everything that a webhook can have.
pub(crate) fn webhook() -> Webhook {
    Webhook {
        id: WebhookId(id().0),
        name: "a".parse().unwrap(),
        url: "https://example.org".parse().unwrap(),
        filter: EventFilter {
            events: [EventKind::Connected].into(),
            satellites: [id()].into(),
            region: "eu".parse().ok(),
            tags: "lab".parse().unwrap(),
            causes: [Cause::TookOver].into(),
        },
        headers: WebhookHeaders::new([("x-key".to_owned(), "hidden".to_owned())]).unwrap(),
        mode: ContentMode::Binary,
        alerts_only: true,
        secrets: vec![KeptSecret { secret: signing_secret(), expires_at: Some(at(9)) }],
        health: Health { failing_since: Some(at(1)), paused: Some(PauseReason::Failing) },
        created_at: at(0),
    }
}

fn seen() -> AttemptSeen {
    AttemptSeen {
        status: Some(500),
        latency: Millis::new(12),
        response: Some("r".to_owned()),
        error: Some("e".to_owned()),
    }
}

pub(crate) fn delivery(number: u64) -> Delivery {
    Delivery {
        number,
        webhook: WebhookId(id().0),
        context: id().into(),
        seq: Seq(number),
        kind: NoticeKind::Event(EventKind::Connected),
        alert: None,
        state: DeliveryState::Waiting,
        attempts: 1,
        created_at: at(0),
        next_at: Some(at(2)),
        attempted_at: Some(at(1)),
        seen: seen(),
    }
}

/// Asks `webhooks` with a token that may everything and this text as a JSON body.
pub(crate) async fn send_webhooks(
    webhooks: MockWebhookService,
    method: Method,
    path: &str,
    body: &str,
) -> Answer {
    let request = request(method, path)
        .header(AUTHORIZATION, "Bearer admin")
        .header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let packages = crate::packages::willing_packages();
    let others = services(fleet(), willing_work(), packages, willing_secrets());
    let all = Services { webhooks: Arc::new(webhooks), ..others };
    let answer = router(all, HttpSettings::default()).oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

/// Asks `webhooks` for what is at `path`.
pub(crate) async fn ask_webhooks(webhooks: MockWebhookService, path: &str) -> Answer {
    send_webhooks(webhooks, Method::GET, path, "").await
}

/// Why the satellite that is connected is online, with everything that an explanation can have.
pub(crate) fn explanation() -> Explanation {
    let view = view("a");
    let session = Transition {
        epoch: Epoch(3),
        cause: Some(Cause::TookOver),
        remote_address: Some("192.0.2.1:1".into()),
        ..transition(7)
    };
    explain(&Facts {
        satellite: id(),
        name: &view.stored.satellite.name,
        enabled: true,
        agent_version: view.stored.satellite.agent.version.as_deref(),
        record: &ConnectionRecord {
            session: Some(SessionId(Uuid::nil())),
            ..view.stored.record.clone()
        },
        own_threshold: view.stored.satellite.own_threshold,
        liveness: Liveness {
            heartbeat_interval: Millis::from_secs(15),
            default_threshold: Millis::from_secs(45),
        },
        settle: Millis::new(300),
        watch: Some(WatchSpan { since: at(0), until: at(20_000) }),
        transitions: &[session],
        clock: ClockReading { error: Millis::new(2), wall_ahead: Some(-3) },
        now: at(10_000),
    })
}
