//! The whole of the machine as a table.

use std::fmt::Write as _;

use uuid::Uuid;

use super::machine::State;
use super::*;
use crate::assignment::{
    Assigned, Check, CheckId, Collectors, Configuration, Configured, Interval, Json, Revision,
    System, SystemId,
};
use crate::connection::Fence;
use crate::limits::MAX_REQUEST_TEXT;
use crate::packages::{LockfileHash, SyncStatus};
use crate::ports::{Authentication, Order, ResultAck, SessionRef, Welcome};
use crate::run::RunStatus;
use crate::satellite::{Epoch, SatelliteId, SessionId, Token};
use crate::time::{Millis, Timestamp};

pub(super) const START: Timestamp = Timestamp::from_millis(0);
/// When the inputs of the table come: a ping is due, and the socket is not idle yet.
pub(super) const LATER: Timestamp = Timestamp::from_millis(60_000);

pub(super) fn settings() -> SessionSettings {
    SessionSettings::default()
}

pub(super) fn session_ref() -> SessionRef {
    SessionRef {
        satellite: SatelliteId(Uuid::from_u128(1)),
        epoch: Epoch(7),
        session: SessionId(Uuid::from_u128(2)),
    }
}

pub(super) fn welcome() -> Welcome {
    Welcome {
        session: session_ref(),
        heartbeat_interval: Millis::from_secs(15),
        threshold: Millis::from_secs(45),
        configured: Some(configured(1)),
        sandbox_policy: None,
    }
}

/// Check 1 of system 1, under this revision.
pub(super) fn configured(revision: u64) -> Configured {
    let id = Uuid::from_u128(1);
    let created_at = START;
    let check = Check {
        id: CheckId(id),
        name: "c".parse().unwrap(),
        strategy: "s".parse().unwrap(),
        config: Json::empty_object(),
        collectors: Collectors::default(),
        interval: Interval::new(60).unwrap(),
        managed_by: None,
        created_at,
    };
    let metadata = Json::empty_object();
    let system = System {
        id: SystemId(id),
        name: "s".parse().unwrap(),
        metadata,
        managed_by: None,
        created_at,
    };
    let assigned = Assigned { check: check.into(), system: system.into() };
    Configured {
        configuration: Configuration::new(vec![assigned]).into(),
        revision: Revision(revision),
        packages: Some(None),
    }
}

pub(super) fn authenticate() -> Message<'static> {
    Message::Authenticate {
        client_id: "00000000-0000-0000-0000-000000000001".into(),
        token: Token::presented("csat_x"),
        capabilities: Some(vec!["http".into()]),
    }
}

pub(super) fn heartbeat() -> Message<'static> {
    Message::Heartbeat { version: "1.2".into(), capabilities: Some(vec!["http".into()]) }
}

pub(super) fn result(result_id: Option<&'static str>) -> Message<'static> {
    Message::Result(RunResult {
        config_id: "c".into(),
        system_id: "s".into(),
        status: RunStatus::Healthy,
        latency_ms: None,
        result: None,
        executed_at: "2026-01-31T12:00:00.000Z".into(),
        environment_id: None,
        result_id: result_id.map(Into::into),
    })
}

/// A result for the pair that the welcome assigns.
pub(super) fn assigned_result(
    executed_at: &'static str,
    result: Option<Box<str>>,
) -> Message<'static> {
    let id = "00000000-0000-0000-0000-000000000001";
    Message::Result(RunResult {
        config_id: id.into(),
        system_id: id.into(),
        status: RunStatus::Healthy,
        latency_ms: Some(1.5),
        result,
        executed_at: executed_at.into(),
        environment_id: None,
        result_id: Some("r1".into()),
    })
}

pub(super) fn secrets_request() -> Request {
    let text = || String::from("x");
    Request::ConfigSecrets { request_id: text(), config_id: text(), run_id: text() }
}

pub(super) fn ask_for_secrets() -> Input<'static> {
    let text = || String::from("x");
    Input::Message(Message::RequestConfigSecrets {
        request_id: text(),
        config_id: text(),
        run_id: text(),
    })
}

pub(super) fn blob_request() -> Request {
    Request::ScriptPackageBlob { integrity: "x".into() }
}

pub(super) fn ask_for_a_blob() -> Input<'static> {
    Input::Message(Message::RequestScriptPackageBlob { integrity: "x".into() })
}

pub(super) fn messages() -> Vec<(&'static str, Message<'static>)> {
    let text = || String::from("x");
    vec![
        ("authenticate", authenticate()),
        ("heartbeat", heartbeat()),
        ("result", result(None)),
        ("result with resultId", result(Some("r1"))),
        ("assigned result", assigned_result("2026-01-31T12:00:00.000Z", None)),
        ("assigned result at no time", assigned_result("yesterday", None)),
        (
            "assigned result of 1 MiB and more",
            assigned_result("2026-01-31T12:00:00.000Z", Some("x".repeat(1 << 20 | 1).into())),
        ),
        ("strategy_error", Message::StrategyError { strategy_id: text(), message: text() }),
        (
            "script_package_sync_state",
            Message::ScriptPackageSyncState(ScriptPackageSyncState {
                lockfile_hash: None,
                status: SyncStatus::Ready,
                error_message: Some("a\nb".repeat(2_000)),
            }),
        ),
        (
            "request_script_package_manifest",
            Message::RequestScriptPackageManifest { lockfile_hash: text() },
        ),
        ("request_script_package_blob", Message::RequestScriptPackageBlob { integrity: text() }),
        (
            "request_script_package_blob of too long a name",
            Message::RequestScriptPackageBlob { integrity: "x".repeat(MAX_REQUEST_TEXT + 1) },
        ),
        (
            "request_run_secrets",
            Message::RequestRunSecrets {
                request_id: text(),
                config_id: text(),
                collector_id: text(),
                run_id: text(),
            },
        ),
        (
            "request_config_secrets",
            Message::RequestConfigSecrets { request_id: text(), config_id: text(), run_id: text() },
        ),
        (
            "telemetry_batch",
            Message::TelemetryBatch { batch_id: text(), kind: text(), payload: "[]".into() },
        ),
        ("capability_status", Message::CapabilityStatus { kind: text(), payload: "{}".into() }),
        (
            "capability_secret_request",
            Message::CapabilitySecretRequest {
                request_id: text(),
                kind: "k".into(),
                payload: "{}".into(),
            },
        ),
        ("config_applied", Message::ConfigApplied { revision: 3 }),
    ]
}

pub(super) fn inputs() -> Vec<(String, Input<'static>)> {
    let messages = messages().into_iter().map(|(name, m)| (name.to_owned(), Input::Message(m)));
    let answers = [
        Authentication::Accepted(welcome()),
        Authentication::Refused { reason: "Invalid client ID or token" },
        Authentication::Unavailable,
        Authentication::Fight,
    ];
    let orders = [
        Order::Fenced(Fence::Superseded),
        Order::Fenced(Fence::Closed),
        Order::Fenced(Fence::Gone),
        Order::Shutdown { reason: "Satellite was removed" },
        Order::Drain,
        Order::Threshold(Millis::from_secs(600)),
        Order::Configure(configured(2)),
        Order::RefreshPackages(LockfileHash::of(b"")),
        Order::SandboxPolicy(Json::empty_object()),
        Order::Acknowledge(vec![ResultAck { result_id: "r1".into(), refused: None }]),
        Order::Answer(Box::new(secrets_request().unserved())),
        Order::Answer(Box::new(blob_request().failed("why"))),
    ];
    let others = [
        Input::Received { bytes: 100 },
        Input::Unreadable(Unreadable::UnknownType),
        Input::Unreadable(Unreadable::Malformed),
        Input::Control,
        Input::Violation(Violation::TooLarge),
        Input::Violation(Violation::Binary),
        Input::Violation(Violation::NotUtf8),
        Input::Violation(Violation::BadFrame),
        Input::PeerClosed,
        Input::TransportLost,
        Input::OutgoingFull,
        Input::Evicted,
        Input::Room,
        Input::Tick,
    ];
    let named = |input: Input<'static>| (format!("{input:?}"), input);
    messages
        .chain(answers.map(|answer| {
            let name = format!("{answer:?}");
            let short = name.split(['(', ' ']).next().unwrap_or_default();
            (format!("Answered({short})"), Input::Answered(answer))
        }))
        .chain(orders.map(|order| named(Input::Order(order))))
        .chain(others.map(named))
        .collect()
}

pub(super) fn states() -> Vec<(&'static str, Session)> {
    let settings = settings();
    let waiting = Session::new(&settings, START);
    let mut authenticating = waiting.clone();
    authenticating.step(&settings, START, Input::Message(authenticate()));
    let mut abandoned = authenticating.clone();
    abandoned.step(&settings, START, Input::PeerClosed);
    let mut open = authenticating.clone();
    open.step(&settings, START, Input::Answered(Authentication::Accepted(welcome())));
    let mut asked = open.clone();
    asked.step(&settings, START, ask_for_secrets());
    let mut asking = asked.clone();
    asking.step(&settings, START, Input::Room);
    let mut ended = waiting.clone();
    ended.step(&settings, START, Input::PeerClosed);
    vec![
        ("Waiting", waiting),
        ("Authenticating", authenticating),
        ("Abandoned", abandoned),
        ("Open", open),
        ("Open, asked for secrets", asked),
        ("Open, looking for secrets", asking),
        ("Ended", ended),
    ]
}

fn show_state(session: &Session) -> String {
    match session.state() {
        State::Waiting { until } => format!("Waiting until {} ms", until.as_millis()),
        State::Authenticating { ordered, .. } => match ordered.threshold {
            Some(ordered) => format!("Authenticating, threshold {ordered}"),
            None => "Authenticating".into(),
        },
        State::Abandoned { ending } => format!("Abandoned({ending:?})"),
        State::Open(open) => {
            let requests = match open.request_counts() {
                (0, 0) => String::new(),
                (waiting, asked) => format!(", requests: {waiting} wait, {asked} asked"),
            };
            format!("Open, tick at {} ms{requests}", open.deadline().as_millis())
        }
        State::Ended => "Ended".into(),
    }
}

fn show_effect(effect: &Effect) -> String {
    match effect {
        Effect::Authenticate(_) => "Authenticate".into(),
        Effect::Welcome(_) => "Welcome".into(),
        Effect::Heartbeat(_, beat) => format!("Heartbeat {beat:?}"),
        Effect::End(end) => {
            let closed = end.closed.map(|(_, reason)| reason);
            format!("End({:?}), record {closed:?}", end.ending)
        }
        Effect::Reported(_, run) => format!("Reported {} {:?}", run.status, run.result_id),
        Effect::Applied(_, revision) => format!("Applied {revision}"),
        Effect::LacksStrategy(_, said) => format!("LacksStrategy {said:?}"),
        Effect::Request(_, request) => format!("Request {request:?}"),
        Effect::PackagesSynced(_, state) => {
            let said = state.error_message.as_ref().map(|said| said.chars().count());
            format!("PackagesSynced {:?}, {said:?} characters", state.status)
        }
        Effect::Nothing
        | Effect::Acknowledge(_)
        | Effect::Reply(_)
        | Effect::RefuseResult(_)
        | Effect::Drop(_)
        | Effect::Ping => format!("{effect:?}"),
    }
}

#[test]
fn the_table_of_every_state_and_input() {
    let mut table = String::new();
    for (name, session) in states() {
        writeln!(table, "{name}").unwrap();
        for (input_name, input) in inputs() {
            let mut after = session.clone();
            let effect = after.step(&settings(), LATER, input);
            writeln!(table, "  {input_name}").unwrap();
            writeln!(table, "    → {}; {}", show_effect(&effect), show_state(&after)).unwrap();
        }
    }
    insta::assert_snapshot!("session_table", table);
}

#[test]
fn the_table_of_endings() {
    let endings = [
        Ending::PeerClosed,
        Ending::TransportLost,
        Ending::Idle,
        Ending::TooLarge,
        Ending::Binary,
        Ending::NotUtf8,
        Ending::BadFrame,
        Ending::SlowConsumer,
        Ending::Shutdown { reason: "Token was revoked" },
        Ending::Fenced(Fence::Superseded),
        Ending::Fenced(Fence::Closed),
        Ending::Fenced(Fence::Gone),
        Ending::Drained,
        Ending::NoAuthenticate,
        Ending::NotAuthenticated,
        Ending::Refused { reason: "Invalid client ID or token" },
        Ending::Fight,
        Ending::Unavailable,
    ];
    let mut table = String::new();
    for ending in endings {
        let code = ending.close_code().map_or("–".into(), |code| code.0.to_string());
        let cause = ending.close_reason().map_or("–".into(), |reason| format!("{reason:?}"));
        writeln!(table, "{:33} {code:4} {cause:15} {:?}", ending.name(), ending.farewell())
            .unwrap();
    }
    insta::assert_snapshot!("session_endings", table);
}
