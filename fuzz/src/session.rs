//! One socket's life.

use arbitrary::{Arbitrary, Result, Unstructured};
use groundcontrol_core::assignment::{Configured, Json, Revision};
use groundcontrol_core::connection::Fence;
use groundcontrol_core::limits::REQUESTS_IN_FLIGHT;
use groundcontrol_core::packages::{LockfileHash, SyncStatus};
use groundcontrol_core::ports::{Authentication, Order, SessionRef, Welcome};
use groundcontrol_core::run::RunStatus;
use groundcontrol_core::satellite::Token;
use groundcontrol_core::satellite::{Epoch, SatelliteId, SessionId};
use groundcontrol_core::session::{
    Effect, Input, Message, Reading, Request, RunResult, ScriptPackageSyncState, Session,
    SessionSettings, Unreadable, Violation,
};
use groundcontrol_core::time::{Millis, Timestamp};
use uuid::Uuid;

/// Inputs of one run; what comes after says nothing new.
const MOST: usize = 256;

/// Whatever frames, timers, answers and orders reach a socket: the gateway is asked once, nothing
/// is told to it or to the satellite before it accepted, the socket ends at most once, and nothing
/// follows. A socket that may not be read for now may be at the moment that it names, and a tick at
/// its deadline moves that or ends the socket: nothing waits for ever, nothing spins.
pub fn session(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let settings = SessionSettings { messages_burst: 3, ..SessionSettings::default() };
    let mut now = Timestamp::from_millis(0);
    let mut session = Session::new(&settings, now);
    let (mut asked, mut accepted, mut ended) = (0, false, false);
    let mut in_flight = 0_usize;
    for _ in 0..MOST {
        let Ok((passed, input)) = step(&mut bytes) else { return };
        now = now + Millis::new(passed);
        let answers = asked == 1 && matches!(input, Input::Answered(Authentication::Accepted(_)));
        let frees = matches!(input, Input::Order(Order::Answer(_))) && session.session().is_some();
        in_flight = in_flight.saturating_sub(usize::from(frees));
        let effect = session.step(&settings, now, input);
        match effect {
            Effect::Nothing => {}
            effect if ended => panic!("{effect:?} after the end"),
            Effect::Authenticate(_) => asked += 1,
            Effect::Welcome(_) => {
                assert!(answers, "welcome without an acceptance");
                accepted = true;
            }
            Effect::Request(..) => {
                assert!(accepted, "heard before the acceptance");
                in_flight += 1;
                assert!(in_flight <= REQUESTS_IN_FLIGHT, "too much is asked at a time");
            }
            Effect::Heartbeat(..)
            | Effect::PackagesSynced(..)
            | Effect::Reported(..)
            | Effect::Applied(..)
            | Effect::LacksStrategy(..)
            | Effect::Acknowledge(_) => assert!(accepted, "heard before the acceptance"),
            Effect::End(end) => {
                ended = true;
                assert!(end.closed.is_none() || accepted || answers, "closed, but never open");
            }
            Effect::Reply(_) | Effect::RefuseResult(_) | Effect::Ping => {
                assert!(accepted, "{effect:?} before the acceptance");
            }
            Effect::Drop(_) => {}
        }
        assert!(asked <= 1, "the gateway was asked twice");
        if ended {
            assert_eq!(session.deadline(), None);
        }
        if session.has_request() {
            let asked = session.clone().step(&settings, now, Input::Room);
            assert!(matches!(asked, Effect::Request(..)), "a request was promised");
        }
        goes_on(&session, &settings, now);
        if bytes.is_empty() {
            return;
        }
    }
}

fn goes_on(session: &Session, settings: &SessionSettings, now: Timestamp) {
    if let Reading::At(at) = session.reading(settings, now) {
        assert!(at > now, "may not be read now, but may be now");
        assert_eq!(session.reading(settings, at), Reading::Now);
    }
    if let Some(due) = session.deadline().map(|due| due.max(now)) {
        let mut ticked = session.clone();
        ticked.step(settings, due, Input::Tick);
        assert!(ticked.deadline().is_none_or(|next| next > due), "the tick is due again at once");
    }
}

fn step(bytes: &mut Unstructured<'_>) -> Result<(u64, Input<'static>)> {
    let passed = *bytes.choose(&[0, 1, 5, 1_000, 9_999, 30_000, 89_999])?;
    let input = match bytes.int_in_range(0..=22_u8)? {
        0..=2 => Input::Message(authenticate()),
        3..=6 => Input::Answered(answer(bytes)?),
        7..=9 => Input::Message(message(bytes)?),
        10 => Input::Order(order(bytes)?),
        11 => Input::Received { bytes: u64::arbitrary(bytes)? },
        12 => Input::Unreadable(Unreadable::Malformed),
        13 => Input::Unreadable(Unreadable::UnknownType),
        14 => Input::Control,
        15 => Input::Violation(*bytes.choose(&[
            Violation::TooLarge,
            Violation::Binary,
            Violation::NotUtf8,
            Violation::BadFrame,
        ])?),
        16 => match bytes.int_in_range(0..=3_u8)? {
            0 => Input::PeerClosed,
            1 => Input::TransportLost,
            2 => Input::OutgoingFull,
            _ => Input::Evicted,
        },
        17..=19 => Input::Room,
        _ => Input::Tick,
    };
    Ok((passed, input))
}

fn authenticate() -> Message<'static> {
    let token = Token::presented("t");
    Message::Authenticate { client_id: "c".to_owned(), token, capabilities: None }
}

fn message(bytes: &mut Unstructured<'_>) -> Result<Message<'static>> {
    Ok(match bytes.int_in_range(0..=3_u8)? {
        0 | 1 => Message::Heartbeat {
            version: String::arbitrary(bytes)?.into(),
            capabilities: Option::arbitrary(bytes)?,
        },
        2 => Message::Result(RunResult {
            config_id: "c".into(),
            system_id: "s".into(),
            status: RunStatus::Healthy,
            latency_ms: Option::arbitrary(bytes)?,
            result: None,
            executed_at: String::arbitrary(bytes)?.into(),
            environment_id: Option::arbitrary(bytes)?,
            result_id: Option::<String>::arbitrary(bytes)?,
        }),
        _ => unserved(bytes)?,
    })
}

/// What satellites ask for, and what no part of this server handles yet.
fn unserved(bytes: &mut Unstructured<'_>) -> Result<Message<'static>> {
    let (request_id, config_id, run_id) =
        (String::arbitrary(bytes)?, String::from("c"), String::from("r"));
    let (kind, payload) = (String::arbitrary(bytes)?, Box::from("{}"));
    Ok(match bytes.int_in_range(0..=9_u8)? {
        0 => Message::StrategyError { strategy_id: request_id, message: kind },
        1 => Message::ScriptPackageSyncState(ScriptPackageSyncState {
            lockfile_hash: Some(request_id),
            status: SyncStatus::Ready,
            error_message: Some(kind),
        }),
        2 => Message::RequestScriptPackageManifest { lockfile_hash: request_id },
        3 => Message::RequestScriptPackageBlob { integrity: request_id },
        4 => Message::RequestRunSecrets { request_id, config_id, collector_id: kind, run_id },
        5 => Message::RequestConfigSecrets { request_id, config_id, run_id },
        6 => Message::TelemetryBatch { batch_id: request_id, kind, payload },
        7 => Message::CapabilityStatus { kind, payload },
        8 => Message::CapabilitySecretRequest { request_id, kind, payload },
        _ => Message::ConfigApplied { revision: u64::arbitrary(bytes)? },
    })
}

fn answer(bytes: &mut Unstructured<'_>) -> Result<Authentication> {
    Ok(match bytes.int_in_range(0..=8_u8)? {
        0 => Authentication::Refused { reason: "no" },
        1 => Authentication::Unavailable,
        2 => Authentication::Fight,
        _ => Authentication::Accepted(Welcome {
            session: SessionRef {
                satellite: SatelliteId(Uuid::from_u128(1)),
                epoch: Epoch(1),
                session: SessionId(Uuid::from_u128(2)),
            },
            heartbeat_interval: Millis::from_secs(15),
            threshold: Millis::new(u64::arbitrary(bytes)?),
            configured: None,
            sandbox_policy: None,
        }),
    })
}

fn order(bytes: &mut Unstructured<'_>) -> Result<Order> {
    Ok(match bytes.int_in_range(0..=10_u8)? {
        0 => Order::Fenced(Fence::Superseded),
        1 => Order::Fenced(Fence::Gone),
        2 => Order::Shutdown { reason: "stop" },
        3 => Order::Drain,
        4 => Order::Configure(Configured {
            configuration: Default::default(),
            revision: Revision(u64::arbitrary(bytes)?),
            packages: Some(None),
        }),
        5 => Order::SandboxPolicy(Json::empty_object()),
        6 => Order::Acknowledge(Vec::new()),
        7 => {
            let request = Request::ScriptPackageBlob { integrity: String::arbitrary(bytes)? };
            Order::Answer(Box::new(request.unserved()))
        }
        8 => {
            let request = Request::ScriptPackageManifest { lockfile_hash: "x".to_owned() };
            Order::Answer(Box::new(request.failed("why")))
        }
        9 => Order::RefreshPackages(LockfileHash::of(b"")),
        _ => Order::Threshold(Millis::new(u64::arbitrary(bytes)?)),
    })
}
