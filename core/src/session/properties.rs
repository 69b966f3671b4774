//! What holds for any sequence of inputs.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use uuid::Uuid;

use super::*;
use crate::assignment::{Configured, Json, Revision};
use crate::connection::{CloseReason, Fence};
use crate::limits::{MAX_REQUEST_TEXT, REQUESTS_IN_FLIGHT, SCRIPT_PACKAGE_BLOBS_IN_FLIGHT};
use crate::packages::LockfileHash;
use crate::ports::{Authentication, Order, SessionRef, Welcome};
use crate::run::RunStatus;
use crate::satellite::{Epoch, SatelliteId, SessionId, Token};
use crate::time::{Millis, Timestamp};

fn any_message() -> impl Strategy<Value = Message<'static>> {
    let text = || "[a-z\u{0}é\"]{0,12}";
    prop_oneof![
        text().prop_map(|client_id| Message::Authenticate {
            client_id,
            token: Token::presented("t"),
            capabilities: None,
        }),
        (text(), any::<Option<Vec<String>>>()).prop_map(|(version, capabilities)| {
            Message::Heartbeat { version: version.into(), capabilities }
        }),
        any::<Option<String>>().prop_map(|result_id| Message::Result(RunResult {
            config_id: "c".into(),
            system_id: "s".into(),
            status: RunStatus::Degraded,
            latency_ms: None,
            result: None,
            executed_at: "now".into(),
            environment_id: None,
            result_id,
        })),
        (text(), text())
            .prop_map(|(strategy_id, message)| Message::StrategyError { strategy_id, message }),
        text().prop_map(|lockfile_hash| Message::RequestScriptPackageManifest { lockfile_hash }),
        text().prop_map(|integrity| Message::RequestScriptPackageBlob { integrity }),
        (text(), text()).prop_map(|(request_id, collector_id)| Message::RequestRunSecrets {
            request_id,
            config_id: "c".into(),
            collector_id,
            run_id: "r".into(),
        }),
        (text(), text()).prop_map(|(request_id, kind)| Message::CapabilitySecretRequest {
            request_id,
            kind,
            payload: "{}".into(),
        }),
        any::<u64>().prop_map(|revision| Message::ConfigApplied { revision }),
    ]
}

fn any_answer() -> impl Strategy<Value = Authentication> {
    let welcome = any::<u64>().prop_map(|threshold| {
        Authentication::Accepted(Welcome { threshold: Millis::new(threshold), ..welcome() })
    });
    prop_oneof![
        4 => welcome,
        1 => Just(Authentication::Refused { reason: "no" }),
        1 => Just(Authentication::Unavailable),
        1 => Just(Authentication::Fight),
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Fenced(Fence::Superseded)),
        Just(Order::Fenced(Fence::Gone)),
        Just(Order::Shutdown { reason: "stop" }),
        Just(Order::Drain),
        any::<u64>().prop_map(|threshold| Order::Threshold(Millis::new(threshold))),
        any::<u64>().prop_map(|revision| Order::Configure(Configured {
            configuration: Default::default(),
            revision: Revision(revision),
            packages: Some(None),
        })),
        Just(Order::RefreshPackages(LockfileHash::of(b""))),
        Just(Order::SandboxPolicy(Json::empty_object())),
        Just(Order::Acknowledge(vec![])),
        any_request().prop_map(|request| Order::Answer(Box::new(request.unserved()))),
        any_request().prop_map(|request| Order::Answer(Box::new(request.failed("why")))),
    ]
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        any::<String>().prop_map(|integrity| Request::ScriptPackageBlob { integrity }),
        any::<String>().prop_map(|lockfile_hash| Request::ScriptPackageManifest { lockfile_hash }),
        any::<String>().prop_map(|request_id| Request::ConfigSecrets {
            request_id,
            config_id: "c".into(),
            run_id: "r".into(),
        }),
    ]
}

fn any_input() -> impl Strategy<Value = Input<'static>> {
    prop_oneof![
        8 => any_message().prop_map(Input::Message),
        4 => any_answer().prop_map(Input::Answered),
        2 => any_order().prop_map(Input::Order),
        2 => any::<u64>().prop_map(|bytes| Input::Received { bytes }),
        1 => Just(Input::Unreadable(Unreadable::Malformed)),
        1 => Just(Input::Unreadable(Unreadable::UnknownType)),
        1 => Just(Input::Control),
        1 => Just(Input::Violation(Violation::Binary)),
        1 => Just(Input::PeerClosed),
        1 => Just(Input::TransportLost),
        1 => Just(Input::OutgoingFull),
        1 => Just(Input::Evicted),
        2 => Just(Input::Room),
        4 => Just(Input::Tick),
    ]
}

/// Inputs with the milliseconds that pass before each; the first is often `authenticate`.
fn any_life() -> impl Strategy<Value = Vec<(u64, Input<'static>)>> {
    let first = Just(()).prop_map(|()| {
        let message = Message::Authenticate {
            client_id: String::new(),
            token: Token::presented("t"),
            capabilities: None,
        };
        (0, Input::Message(message))
    });
    let rest = || prop::collection::vec((0..50_000_u64, any_input()), 0..40);
    prop_oneof![
        1 => rest(),
        3 => (first, rest()).prop_map(|(first, rest)| {
            std::iter::once(first).chain(rest).collect()
        }),
    ]
}

fn settings() -> SessionSettings {
    SessionSettings { messages_burst: 3, ..SessionSettings::default() }
}

/// A failure's seed is kept beside this file, and the next run begins with it.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_reaches_the_gateway_before_it_accepted_and_nothing_happens_after_the_end(
        life in any_life()
    ) {
        let settings = settings();
        let mut now = Timestamp::from_millis(0);
        let mut session = Session::new(&settings, now);
        let (mut asked, mut accepted, mut ends) = (0, false, 0);
        for (passed, input) in life {
            now = now + Millis::new(passed);
            let answer = matches!(&input, Input::Answered(Authentication::Accepted(_)));
            let effect = session.step(&settings, now, input);
            if ends > 0 {
                prop_assert!(matches!(effect, Effect::Nothing), "after the end: {effect:?}");
            }
            match effect {
                Effect::Authenticate(_) => asked += 1,
                Effect::Welcome(_) => {
                    prop_assert!(answer && asked == 1);
                    accepted = true;
                }
                Effect::Heartbeat(..)
                | Effect::Reply(_)
                | Effect::Reported(..)
                | Effect::Applied(..)
                | Effect::LacksStrategy(..)
                | Effect::Acknowledge(_)
                | Effect::RefuseResult(_)
                | Effect::PackagesSynced(..)
                | Effect::Request(..)
                | Effect::Ping => prop_assert!(accepted),
                Effect::End(end) => {
                    ends += 1;
                    prop_assert!(end.closed.is_none() || accepted || answer);
                }
                Effect::Nothing | Effect::Drop(_) => {}
            }
            prop_assert!(asked <= 1);
            prop_assert!(ends <= 1);
        }
    }

    #[test]
    fn only_sessions_that_end_by_themselves_are_recorded(life in any_life()) {
        let settings = settings();
        let mut now = Timestamp::from_millis(0);
        let mut session = Session::new(&settings, now);
        for (passed, input) in life {
            now = now + Millis::new(passed);
            if let Effect::End(end) = session.step(&settings, now, input) {
                match end.ending {
                    Ending::Shutdown { .. }
                    | Ending::Fenced(_)
                    | Ending::NoAuthenticate
                    | Ending::NotAuthenticated
                    | Ending::Refused { .. }
                    | Ending::Fight
                    | Ending::Unavailable => prop_assert_eq!(end.closed, None),
                    Ending::Drained => {
                        let reason = end.closed.map(|(_, reason)| reason);
                        prop_assert!(matches!(reason, None | Some(CloseReason::Drained)));
                    }
                    Ending::PeerClosed
                    | Ending::TransportLost
                    | Ending::Idle
                    | Ending::TooLarge
                    | Ending::Binary
                    | Ending::NotUtf8
                    | Ending::BadFrame
                    | Ending::SlowConsumer => {}
                }
            }
        }
    }

    #[test]
    fn a_tick_at_the_deadline_always_moves_it_or_ends_the_socket(life in any_life()) {
        let settings = settings();
        let mut now = Timestamp::from_millis(0);
        let mut session = Session::new(&settings, now);
        for (passed, input) in life {
            now = now + Millis::new(passed);
            session.step(&settings, now, input);
            if let Some(due) = session.deadline() {
                let mut ticked = session.clone();
                ticked.step(&settings, due.max(now), Input::Tick);
                prop_assert!(ticked.deadline().is_none_or(|next| next > due.max(now)));
            }
        }
    }

    #[test]
    fn a_socket_over_its_budget_is_read_again_at_the_moment_that_was_named(
        life in any_life()
    ) {
        let settings = settings();
        let mut now = Timestamp::from_millis(0);
        let mut session = Session::new(&settings, now);
        for (passed, input) in life {
            now = now + Millis::new(passed);
            session.step(&settings, now, input);
            if let Reading::At(at) = session.reading(&settings, now) {
                prop_assert!(at > now);
                prop_assert_eq!(session.reading(&settings, at), Reading::Now);
            }
        }
    }

    #[test]
    fn each_request_is_asked_once_and_few_at_a_time_until_all_are(
        requests in prop::collection::vec(any_request(), 0..60)
    ) {
        let settings = settings();
        let now = Timestamp::from_millis(0);
        let mut session = Session::new(&settings, now);
        let first = Message::Authenticate {
            client_id: String::new(),
            token: Token::presented("t"),
            capabilities: None,
        };
        session.step(&settings, now, Input::Message(first));
        session.step(&settings, now, Input::Answered(Authentication::Accepted(welcome())));
        for request in &requests {
            session.step(&settings, now, Input::Message(message_of(request.clone())));
        }
        let (mut asked, mut in_flight) = (Vec::new(), Vec::new());
        loop {
            while session.has_request() {
                let effect = session.step(&settings, now, Input::Room);
                let Effect::Request(_, request) = effect else { panic!("{effect:?}") };
                in_flight.push(*request.clone());
                asked.push(*request);
            }
            prop_assert!(in_flight.len() <= REQUESTS_IN_FLIGHT);
            let blobs = in_flight.iter().filter(|one| matches!(one, Request::ScriptPackageBlob { .. }));
            prop_assert!(blobs.count() <= SCRIPT_PACKAGE_BLOBS_IN_FLIGHT);
            let Some(request) = in_flight.pop() else { break };
            let answer = Order::Answer(Box::new(request.unserved()));
            session.step(&settings, now, Input::Order(answer));
        }
        prop_assert_eq!(asked.len(), requests.iter().filter(|one| taken(one)).count());
        for request in requests.iter().filter(|one| taken(one)) {
            let times = |all: &[Request]| all.iter().filter(|one| *one == request).count();
            prop_assert_eq!(times(&asked), times(&requests));
        }
    }
}

fn welcome() -> Welcome {
    Welcome {
        session: SessionRef {
            satellite: SatelliteId(Uuid::from_u128(1)),
            epoch: Epoch(1),
            session: SessionId(Uuid::from_u128(2)),
        },
        heartbeat_interval: Millis::from_secs(15),
        threshold: Millis::from_secs(45),
        configured: None,
        sandbox_policy: None,
    }
}

fn message_of(request: Request) -> Message<'static> {
    match request {
        Request::ScriptPackageBlob { integrity } => Message::RequestScriptPackageBlob { integrity },
        Request::ScriptPackageManifest { lockfile_hash } => {
            Message::RequestScriptPackageManifest { lockfile_hash }
        }
        Request::ConfigSecrets { request_id, config_id, run_id } => {
            Message::RequestConfigSecrets { request_id, config_id, run_id }
        }
        Request::RunSecrets { request_id, config_id, collector_id, run_id } => {
            Message::RequestRunSecrets { request_id, config_id, collector_id, run_id }
        }
    }
}

/// Whether all that it says is short enough.
fn taken(request: &Request) -> bool {
    match request {
        Request::ScriptPackageBlob { integrity: text }
        | Request::ScriptPackageManifest { lockfile_hash: text }
        | Request::ConfigSecrets { request_id: text, .. }
        | Request::RunSecrets { request_id: text, .. } => text.len() <= MAX_REQUEST_TEXT,
    }
}
