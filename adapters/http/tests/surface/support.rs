//! A fleet of doubles, things to answer with, and a way to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use groundcontrol_core::assignment::{
    Assertion, Assignment, AssignmentId, Check, CheckId, Collector, Collectors, Interval, Json,
    Revision, StoredRevision, System, SystemId, Target,
};
use groundcontrol_core::connection::{
    Actor, Cause, ConnectionRecord, ConnectionState, LifecycleEvent, Status, Transition,
    TransitionKind,
};
use groundcontrol_core::desired::Manager;
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, Caller, Created, EventCursor, EventFeed, FeedItem, FleetError,
    MockFleetService, MockPackageService, MockSecretService, MockWorkService, Readiness,
    SatelliteView, Scope, StoredSatellite,
};
use groundcontrol_core::run::{ReportedRun, RunStatus, StoredRun, StrategyError};
use groundcontrol_core::satellite::{
    Epoch, OwnThreshold, PodName, ReportedAgent, Satellite, SatelliteId, Seq, SessionId, Tags,
    Token,
};
use groundcontrol_core::secrets::{Delivery, DeliveryPlace, SecretName, StoredDelivery};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_http::{HttpSettings, Services, router};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) use crate::support_webhooks::*;

pub(crate) const ID: &str = "00000000-0000-4000-8000-00000000000a";
pub(crate) const UNKNOWN: &str = "00000000-0000-4000-8000-00000000000b";

pub(crate) fn id() -> SatelliteId {
    ID.parse().unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000 + millis)
}

/// The token in the document's example of signing in.
const EXAMPLE_TOKEN: &str = "gcapi_EiWqCHFKsJbHzZ2VZyGYTpVFvNYEIDSJ";

/// A fleet that knows the tokens `satellite.read`, `satellite.manage` and `admin`, each with the
/// scope of its name, and that of the example.
pub(crate) fn fleet() -> MockFleetService {
    let mut fleet = MockFleetService::new();
    fleet.expect_caller().returning(|token| {
        let actor = Actor("the tests".into());
        let name = token.expose();
        let scope = Scope::from_name(if name == EXAMPLE_TOKEN { "admin" } else { name });
        Ok(scope.map(|scope| Caller { actor, scopes: vec![scope] }))
    });
    fleet
}

/// A fleet that does whatever it is asked.
pub(crate) fn willing() -> MockFleetService {
    let mut fleet = fleet();
    fleet.expect_create().returning(|_| Ok(created()));
    fleet.expect_get().returning(|_| Ok(view("a")));
    fleet.expect_list().returning(|_| Ok(vec![view("a")]));
    fleet.expect_update().returning(|_, _, _| Ok(view("a")));
    fleet.expect_remove().returning(|_, _| Ok(()));
    fleet.expect_rotate_token().returning(|_, _, _| Ok(created()));
    fleet.expect_online_ids().returning(|| Ok(vec![id()]));
    fleet.expect_connection().returning(|_| Ok(Some(state())));
    fleet.expect_connections().returning(|_| Ok(BTreeMap::from([(id(), state())])));
    fleet.expect_transitions().returning(|_, _, _| Ok(vec![transition(2)]));
    fleet.expect_explain().returning(|_| Ok(explanation()));
    fleet.expect_events().returning(|_| Ok(Box::new(Ended)));
    fleet
        .expect_create_api_token()
        .returning(|_, _, _| Ok((api_token(1), Token::presented("gcapi_new"))));
    fleet.expect_api_tokens().returning(|| Ok(vec![api_token(1)]));
    fleet.expect_delete_api_token().returning(|_| Ok(()));
    fleet.expect_readiness().returning(|| Readiness::Ready);
    fleet.expect_metrics().returning(|| "up 1\n".to_owned());
    fleet
}

/// Work that does whatever it is asked.
pub(crate) fn willing_work() -> MockWorkService {
    let mut work = MockWorkService::new();
    work.expect_create_system().returning(|_| Ok(system("a")));
    work.expect_system().returning(|_| Ok(system("a")));
    work.expect_systems().returning(|_, _| Ok(vec![system("a")]));
    work.expect_update_system().returning(|_, _| Ok(system("a")));
    work.expect_remove_system().returning(|_| Ok(()));
    work.expect_create_check().returning(|_| Ok(check()));
    work.expect_check().returning(|_| Ok(check()));
    work.expect_checks().returning(|_, _| Ok(vec![check()]));
    work.expect_update_check().returning(|_, _| Ok(check()));
    work.expect_remove_check().returning(|_| Ok(()));
    work.expect_create_assignment().returning(|_| Ok(assignment()));
    work.expect_assignment().returning(|_| Ok(assignment()));
    work.expect_assignments().returning(|_| Ok(vec![assignment()]));
    work.expect_update_assignment().returning(|_, _| Ok(assignment()));
    work.expect_remove_assignment().returning(|_| Ok(()));
    work.expect_runs().returning(|_| Ok(vec![run()]));
    work.expect_latest_runs().returning(|_| Ok(vec![run()]));
    work.expect_strategy_errors().returning(|satellite| {
        let (strategy, message) = ("s".to_owned(), "m".to_owned());
        Ok(vec![StrategyError { satellite, strategy, message, at: at(0) }])
    });
    work.expect_sandbox_policy().returning(|| Ok(Some(Json::trusted("{\"a\":{}}"))));
    work.expect_set_sandbox_policy().returning(|_| Ok(()));
    work
}

pub(crate) fn system(name: &str) -> System {
    let metadata = Json::trusted("{\"owner\":\"me\"}");
    System {
        id: SystemId(id().0),
        name: name.parse().unwrap(),
        metadata,
        managed_by: Some(Manager::GitOps),
        created_at: at(0),
    }
}

/// A check that has everything that a check can have.
pub(crate) fn check() -> Check {
    let assertion = Assertion {
        field: "body".into(),
        json_path: Some("$.a".into()),
        operator: "equals".into(),
        value: Some(Json::trusted("1")),
    };
    let collector = Collector {
        id: "a".into(),
        collector_id: "b".into(),
        config: Json::empty_object(),
        assertions: vec![assertion],
    };
    Check {
        id: CheckId(id().0),
        name: "a".parse().unwrap(),
        strategy: "s".parse().unwrap(),
        config: Json::trusted("{ \"port\":  443 }"),
        collectors: Collectors::new(vec![collector]).unwrap(),
        interval: Interval::new(60).unwrap(),
        managed_by: Some(Manager::GitOps),
        created_at: at(0),
    }
}

/// A run that has everything that a run can have.
pub(crate) fn run() -> StoredRun {
    StoredRun {
        number: 7,
        satellite: Some(id()),
        source: "a (eu)".into(),
        run: ReportedRun {
            check: CheckId(id().0),
            system: SystemId(id().0),
            environment: Some("prod".into()),
            status: RunStatus::Unhealthy,
            latency_ms: Some(1.5),
            result: Some(Json::trusted("{\"a\":  1.0}")),
            executed_at: at(1),
            result_id: Some("r".into()),
        },
        failed: Some(Json::trusted("{\"field\":\"f\"}")),
        received_at: at(2),
    }
}

pub(crate) fn assignment() -> Assignment {
    Assignment {
        id: AssignmentId(id().0),
        check: CheckId(id().0),
        system: SystemId(id().0),
        target: Target::Satellites([id()].into()),
        managed_by: Some(Manager::GitOps),
        created_at: at(0),
    }
}

/// A satellite that is connected and has everything that a satellite can have.
pub(crate) fn view(name: &str) -> SatelliteView {
    let tags = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    let threshold = Millis::from_secs(60);
    let satellite = Satellite {
        id: id(),
        name: name.parse().unwrap(),
        region: "eu".parse().unwrap(),
        tags: Tags::new(tags).unwrap(),
        own_threshold: OwnThreshold::stored(threshold),
        enabled: true,
        agent: ReportedAgent { version: Some("1.2.3".into()), capabilities: vec!["http".into()] },
        managed_by: Some(Manager::GitOps),
        created_at: at(0),
    };
    let record = ConnectionRecord {
        epoch: Epoch(3),
        last_heartbeat_at: Some(at(9_000)),
        last_event: Some(LifecycleEvent::Connected),
        last_event_at: Some(at(5_000)),
        last_cause: Some(Cause::Authenticated),
        seq: Seq(7),
        ..ConnectionRecord::default()
    };
    let stored = StoredSatellite { satellite, record, threshold };
    let work =
        StoredRevision { revision: Revision(5), applied: Some(Revision(4)), ..Default::default() };
    SatelliteView { stored, status: Status::Online, work: Some(work) }
}

/// Secrets that are listed, set and deleted as asked.
pub(crate) fn willing_secrets() -> MockSecretService {
    let name = |text: &str| text.parse::<SecretName>().unwrap();
    let mut secrets = MockSecretService::new();
    secrets.expect_secret_names().returning(move || Ok([name("a"), name("b")].into()));
    secrets.expect_put_secret().returning(|name, _| match name.as_str() {
        "away" => Err(FleetError::OutOfReach { what: "the source of secrets", why: "hush".into() }),
        "fixed" => Err(FleetError::ReadOnly { what: "secrets", how: "write the file" }),
        _ => Ok(()),
    });
    secrets.expect_delete_secret().returning(|name| match name.as_str() {
        "a" => Ok(()),
        _ => Err(FleetError::NotFound { what: "secret" }),
    });
    secrets.expect_reseal_secrets().returning(|| Ok(2));
    secrets.expect_secret_deliveries().returning(move |query| {
        let delivery = Delivery {
            satellite: id(),
            place: DeliveryPlace::new("c", Some("k")),
            run_id: "r".into(),
            names: vec![name("a")],
            error: Some("Secret not found: a".into()),
            at: at(1),
            pod: PodName::new("pod-1"),
        };
        let stored =
            (1..=3).rev().map(|number| StoredDelivery { number, delivery: delivery.clone() });
        let rest = stored.filter(|stored| query.after.is_none_or(|after| stored.number < after));
        Ok(rest.take(query.limit).collect())
    });
    secrets
}

/// A satellite that never connected and has only what a satellite must have.
pub(crate) fn bare_view(name: &str) -> SatelliteView {
    let mut view = view(name);
    view.work = None;
    let satellite = &mut view.stored.satellite;
    satellite.tags = Tags::default();
    satellite.own_threshold = None;
    satellite.agent = ReportedAgent::default();
    satellite.managed_by = None;
    view.stored.record = ConnectionRecord::default();
    view.status = Status::Offline;
    view
}

pub(crate) fn created() -> Created {
    Created { view: bare_view("a"), token: Token::presented("csat_new") }
}

pub(crate) fn state() -> ConnectionState {
    view("a").stored.state(at(9_000)).unwrap()
}

/// The clean disconnect number `seq`, which somebody caused.
pub(crate) fn transition(seq: u64) -> Transition {
    let next = ConnectionState {
        status: Status::Offline,
        last_seen_at: None,
        last_event: Some(LifecycleEvent::Disconnected),
        last_event_at: Some(at(10_000)),
        cause: Some(Cause::Revoked),
        seq: Seq(seq),
        ..state()
    };
    Transition {
        satellite: id(),
        seq: Seq(seq),
        epoch: Epoch(3),
        session: Some(SessionId(Uuid::nil())),
        kind: Some(TransitionKind::Edge(LifecycleEvent::Disconnected)),
        cause: Some(Cause::Revoked),
        occurred_at: at(10_000),
        pod: PodName::new("pod-1"),
        actor: Some(Actor("ops".into())),
        remote_address: None,
        previous: Some(state()),
        next: Some(next),
    }
}

pub(crate) fn api_token(number: u8) -> ApiToken {
    ApiToken {
        id: ApiTokenId(Uuid::from_u128(u128::from(number))),
        name: format!("token {number}"),
        scopes: vec![Scope::SatelliteRead],
        created_at: at(i64::from(number)),
        expires_at: None,
    }
}

/// What `state()` looks like on the wire.
pub(crate) fn state_json() -> Value {
    serde_json::json!({
        "status": "online", "name": "a", "region": "eu",
        "lastSeenAt": "2026-02-02T02:40:09.000Z",
        "lastEvent": "connected", "lastEventAt": "2026-02-02T02:40:05.000Z",
        "cause": "authenticated", "seq": 7, "epoch": 3,
    })
}

/// Where the feeds of these tests stand at first.
const POSITION: EventCursor = EventCursor { commit: 4, position: 2 };

/// A feed that is at its end.
pub(crate) struct Ended;

#[async_trait]
impl EventFeed for Ended {
    fn position(&self) -> EventCursor {
        POSITION
    }

    async fn next(&mut self) -> Option<FeedItem> {
        None
    }
}

/// A feed of what a test sends.
pub(crate) struct Feed(pub(crate) UnboundedReceiver<FeedItem>);

#[async_trait]
impl EventFeed for Feed {
    fn position(&self) -> EventCursor {
        POSITION
    }

    async fn next(&mut self) -> Option<FeedItem> {
        self.0.recv().await
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The answer as a problem with this status and end of `type`.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:groundcontrol:problem:{slug}"));
        assert_eq!(problem["status"], status);
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }

    /// The pointers that a 422 names, in order.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<String> {
        let problem = self.problem(422, "invalid");
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

pub(crate) async fn ask(fleet: MockFleetService, request: Request<Body>) -> Answer {
    ask_both(fleet, willing_work(), request).await
}

pub(crate) async fn ask_both(
    fleet: MockFleetService,
    work: MockWorkService,
    request: Request<Body>,
) -> Answer {
    let packages = crate::packages::willing_packages();
    ask_of(services(fleet, work, packages, willing_secrets()), request).await
}

pub(crate) fn services(
    fleet: MockFleetService,
    work: MockWorkService,
    packages: MockPackageService,
    secrets: MockSecretService,
) -> Services {
    Services {
        fleet: Arc::new(fleet),
        work: Arc::new(work),
        packages: Arc::new(packages),
        secrets: Arc::new(secrets),
        webhooks: Arc::new(willing_webhooks()),
        rules: Arc::new(willing_rules()),
    }
}

pub(crate) async fn ask_of(services: Services, request: Request<Body>) -> Answer {
    let service = router(services, HttpSettings::default());
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

/// Asks with a token that may everything and no body.
pub(crate) async fn plain(fleet: MockFleetService, method: Method, path: &str) -> Answer {
    let request = request(method, path).header(AUTHORIZATION, "Bearer admin");
    ask(fleet, request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn get(fleet: MockFleetService, path: &str) -> Answer {
    plain(fleet, Method::GET, path).await
}

/// Asks with a token that may everything and this text as a JSON body.
pub(crate) async fn send(
    fleet: MockFleetService,
    method: Method,
    path: &str,
    body: &str,
) -> Answer {
    let request = request(method, path)
        .header(AUTHORIZATION, "Bearer admin")
        .header(CONTENT_TYPE, "application/json");
    ask(fleet, request.body(Body::from(body.to_owned())).unwrap()).await
}

pub(crate) async fn post(fleet: MockFleetService, path: &str, body: &str) -> Answer {
    send(fleet, Method::POST, path, body).await
}
