//! What the table of the machine cannot show: times, sizes, and one step after another.

use super::table::*;
use super::*;
use crate::assignment::{Configured, Json, Revision};
use crate::connection::{CloseReason, Fence};
use crate::limits::{REQUESTS_IN_FLIGHT, REQUESTS_WAITING};
use crate::ports::{Authentication, Beat, Order};
use crate::time::{Millis, Timestamp};

fn open_at(now: Timestamp) -> Session {
    let mut session = Session::new(&settings(), now);
    session.step(&settings(), now, Input::Message(authenticate()));
    session.step(&settings(), now, Input::Answered(Authentication::Accepted(welcome())));
    session
}

fn beat(session: &mut Session, version: &str, capabilities: Option<&[&str]>) -> Beat {
    let message = Message::Heartbeat {
        version: version.to_owned().into(),
        capabilities: capabilities.map(|list| list.iter().map(|c| c.to_string()).collect()),
    };
    match session.step(&settings(), START, Input::Message(message)) {
        Effect::Heartbeat(_, beat) => beat,
        other => panic!("no heartbeat: {other:?}"),
    }
}

#[test]
fn a_heartbeat_carries_only_what_this_socket_did_not_say_before() {
    let mut session = open_at(START);
    let new = |version: Option<&str>, capabilities: Option<&[&str]>| Beat {
        version: version.map(Into::into),
        capabilities: capabilities.map(|list| list.iter().map(|c| c.to_string()).collect()),
    };
    assert_eq!(beat(&mut session, "1", Some(&["http"])), new(Some("1"), None));
    assert_eq!(beat(&mut session, "1", Some(&["http"])), new(None, None));
    assert_eq!(beat(&mut session, "1", None), new(None, None));
    assert_eq!(beat(&mut session, "1", Some(&[])), new(None, Some(&[])));
    assert_eq!(beat(&mut session, "2", Some(&["dns"])), new(Some("2"), Some(&["dns"])));
}

#[test]
fn what_an_agent_says_of_itself_is_cut_to_its_limits() {
    let mut session = open_at(START);
    let said = beat(&mut session, &"v".repeat(5_000), None);
    assert_eq!(said.version.map(|version| version.len()), Some(200));
}

#[test]
fn a_socket_that_does_not_authenticate_ends_exactly_when_its_time_is_over() {
    let mut session = Session::new(&settings(), START);
    let end = Timestamp::from_millis(10_000);
    assert_eq!(session.deadline(), Some(end));
    let early = session.step(&settings(), Timestamp::from_millis(9_999), Input::Tick);
    assert!(matches!(early, Effect::Nothing));
    let late = session.step(&settings(), end, Input::Tick);
    assert!(
        matches!(late, Effect::End(End { ending: Ending::NoAuthenticate, closed: None })),
        "{late:?}"
    );
}

#[test]
fn a_silent_socket_is_pinged_and_ends_at_its_idle_limit() {
    let mut session = open_at(START);
    let mut pings = Vec::new();
    let end = loop {
        let due = session.deadline().expect("an open session has a deadline");
        match session.step(&settings(), due, Input::Tick) {
            Effect::Ping => pings.push(due.as_millis()),
            Effect::End(end) => break (due.as_millis(), end),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pings, [30_000, 60_000]);
    assert_eq!(end.0, 90_000);
    assert_eq!(end.1.closed, Some((session_ref(), CloseReason::IdleTimeout)));
}

#[test]
fn any_byte_puts_off_the_idle_limit_and_a_greater_threshold_stretches_it() {
    let mut session = open_at(START);
    session.step(&settings(), Timestamp::from_millis(80_000), Input::Received { bytes: 1 });
    let tick = session.step(&settings(), Timestamp::from_millis(169_999), Input::Tick);
    assert!(matches!(tick, Effect::Ping), "{tick:?}");
    let order = Order::Threshold(Millis::from_secs(600));
    session.step(&settings(), Timestamp::from_millis(169_999), Input::Order(order));
    let tick = session.step(&settings(), Timestamp::from_millis(1_279_999), Input::Tick);
    assert!(matches!(tick, Effect::Ping), "{tick:?}");
    let tick = session.step(&settings(), Timestamp::from_millis(1_280_000), Input::Tick);
    assert!(matches!(tick, Effect::End(_)), "{tick:?}");
}

#[test]
fn a_socket_that_left_while_it_was_authenticated_is_recorded_as_closed_once_it_was_accepted() {
    let mut session = Session::new(&settings(), START);
    session.step(&settings(), START, Input::Message(authenticate()));
    let left = session.step(&settings(), START, Input::PeerClosed);
    assert!(matches!(left, Effect::Nothing), "{left:?}");
    let answer = Input::Answered(Authentication::Accepted(welcome()));
    let Effect::End(end) = session.step(&settings(), START, answer) else { panic!("no end") };
    assert_eq!(end.closed, Some((session_ref(), CloseReason::ClientClosed)));
}

#[test]
fn a_session_that_was_fenced_before_the_answer_arrived_is_not_recorded_by_its_socket() {
    for first in [Input::Tick, Input::PeerClosed, Input::Order(Order::Drain)] {
        let mut session = Session::new(&settings(), START);
        session.step(&settings(), START, Input::Message(authenticate()));
        session.step(&settings(), START, first);
        session.step(&settings(), START, Input::Order(Order::Fenced(Fence::Superseded)));
        let answer = Input::Answered(Authentication::Accepted(welcome()));
        let Effect::End(end) = session.step(&settings(), START, answer) else { panic!("no end") };
        assert_eq!(end, End { ending: Ending::Fenced(Fence::Superseded), closed: None });
    }
}

#[test]
fn a_threshold_ordered_during_authentication_outlives_the_answer() {
    let mut session = Session::new(&settings(), START);
    session.step(&settings(), START, Input::Message(authenticate()));
    session.step(&settings(), START, Input::Order(Order::Threshold(Millis::from_secs(600))));
    let answer = Input::Answered(Authentication::Accepted(welcome()));
    let Effect::Welcome(said) = session.step(&settings(), START, answer) else { panic!("refused") };
    assert_eq!(said.threshold, Millis::from_secs(600));
    let tick = session.step(&settings(), Timestamp::from_millis(1_199_999), Input::Tick);
    assert!(matches!(tick, Effect::Ping), "{tick:?}");
}

#[test]
fn a_socket_carries_a_session_only_while_it_is_open_and_waits_only_before_it_spoke() {
    let carried: Vec<_> = states().iter().map(|(_, socket)| socket.session()).collect();
    let open = Some(session_ref());
    assert_eq!(carried, [None, None, None, open, open, open, None]);
    let waits: Vec<_> = states().iter().map(|(_, socket)| socket.is_waiting()).collect();
    assert_eq!(waits, [true, false, false, false, false, false, false]);
}

#[test]
fn large_messages_are_taken_only_from_authenticated_satellites() {
    let limits = states().iter().map(|(_, s)| s.message_limit(&settings())).collect::<Vec<_>>();
    let (small, large) = (4096, 16 << 20);
    assert_eq!(limits, [small, small, small, large, large, large, large]);
}

#[test]
fn a_socket_is_not_read_while_the_gateway_decides_and_more_slowly_over_its_budget() {
    let settings = SessionSettings { messages_burst: 1, ..settings() };
    let mut session = Session::new(&settings, START);
    assert_eq!(session.reading(&settings, START), Reading::Now);
    session.step(&settings, START, Input::Message(authenticate()));
    assert_eq!(session.reading(&settings, START), Reading::Not);
    session.step(&settings, START, Input::Answered(Authentication::Accepted(welcome())));
    assert_eq!(session.reading(&settings, START), Reading::Now);
    session.step(&settings, START, Input::Message(heartbeat()));
    let Reading::At(later) = session.reading(&settings, START) else { panic!("not slowed down") };
    assert_eq!(session.reading(&settings, later), Reading::Now);
}

#[test]
fn a_session_is_small() {
    let bytes = std::mem::size_of::<Session>();
    assert!(bytes <= 160, "{bytes} bytes for every socket");
}

#[test]
fn a_push_changes_at_once_which_results_count() {
    let mut session = open_at(START);
    let now = "2026-01-31T12:00:00.000Z";
    let result = || Input::Message(assigned_result(now, None));
    let before = session.step(&settings(), START, result());
    assert!(matches!(before, Effect::Reported(..)), "{before:?}");
    let nothing =
        Configured { configuration: Default::default(), revision: Revision(2), packages: None };
    session.step(&settings(), START, Input::Order(Order::Configure(nothing)));
    let after = session.step(&settings(), START, result());
    assert!(matches!(after, Effect::RefuseResult(Some(_))), "{after:?}");
}

#[test]
fn work_ordered_during_authentication_is_newer_than_the_answers() {
    let mut session = Session::new(&settings(), START);
    session.step(&settings(), START, Input::Message(authenticate()));
    session.step(&settings(), START, Input::Order(Order::Configure(configured(7))));
    session.step(&settings(), START, Input::Order(Order::SandboxPolicy(Json::empty_object())));
    let answer = Input::Answered(Authentication::Accepted(welcome()));
    let Effect::Welcome(said) = session.step(&settings(), START, answer) else { panic!("refused") };
    assert_eq!(said.configured.map(|told| told.revision), Some(Revision(7)));
    assert_eq!(said.sandbox_policy, Some(Json::empty_object()));
}

/// What is asked for now that there is room.
fn asked_for(session: &mut Session) -> Vec<Request> {
    let mut asked = Vec::new();
    while session.has_request() {
        match session.step(&settings(), START, Input::Room) {
            Effect::Request(_, request) => asked.push(*request),
            other => panic!("no request: {other:?}"),
        }
    }
    let more = session.step(&settings(), START, Input::Room);
    assert!(matches!(more, Effect::Nothing), "{more:?}");
    asked
}

#[test]
fn a_few_requests_are_looked_for_at_a_time_and_the_next_when_one_is_answered() {
    let mut session = open_at(START);
    for _ in 0..=REQUESTS_IN_FLIGHT {
        let asked = session.step(&settings(), START, ask_for_secrets());
        assert!(matches!(asked, Effect::Nothing), "{asked:?}");
    }
    assert_eq!(asked_for(&mut session).len(), REQUESTS_IN_FLIGHT);
    let answer = secrets_request().unserved();
    let order = Order::Answer(Box::new(answer.clone()));
    let said = session.step(&settings(), START, Input::Order(order));
    assert!(matches!(said, Effect::Reply(Reply::Answer(said)) if said == answer));
    assert_eq!(asked_for(&mut session), [secrets_request()]);
}

#[test]
fn one_blob_is_looked_for_at_a_time_and_what_waits_behind_it_overtakes_it() {
    let mut session = open_at(START);
    for input in [ask_for_a_blob(), ask_for_a_blob(), ask_for_secrets()] {
        session.step(&settings(), START, input);
    }
    assert_eq!(asked_for(&mut session), [blob_request(), secrets_request()]);
    for answer in [secrets_request().unserved(), secrets_request().unserved()] {
        session.step(&settings(), START, Input::Order(Order::Answer(Box::new(answer))));
        assert_eq!(asked_for(&mut session), []);
    }
    let nothing = Order::Answer(Box::new(blob_request().failed("why")));
    let said = session.step(&settings(), START, Input::Order(nothing));
    assert!(matches!(said, Effect::Nothing), "{said:?}");
    assert_eq!(asked_for(&mut session), [blob_request()]);
}

#[test]
fn beyond_those_that_may_wait_a_request_is_refused_and_the_socket_stays() {
    let mut session = open_at(START);
    for _ in 0..REQUESTS_WAITING {
        let asked = session.step(&settings(), START, ask_for_secrets());
        assert!(matches!(asked, Effect::Nothing), "{asked:?}");
    }
    let refused = session.step(&settings(), START, ask_for_secrets());
    let Effect::Reply(Reply::Answer(Answer::ConfigSecrets { values: Err(why), .. })) = refused
    else {
        panic!("{refused:?}")
    };
    assert!(why.contains("try again later"), "{why}");
    let dropped = session.step(&settings(), START, ask_for_a_blob());
    assert!(matches!(dropped, Effect::Drop(Dropped::Busy)), "{dropped:?}");
    let beat = session.step(&settings(), START, Input::Message(heartbeat()));
    assert!(matches!(beat, Effect::Heartbeat(..)), "{beat:?}");
}
