//! What is made of what was read and decided: states, transitions, events, and what a write
//! depends on.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::net::IpAddr;

use groundcontrol_core::connection::{
    Actor, Cause, CloseReason, Command, ConnectionRecord, Context, Decision, EventKind,
    LifecycleEvent, Origin, RevokeScope, SatelliteEvent, Status, Subject, Transition,
    TransitionKind, WatchSpan, decide,
};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CredentialAction, CredentialChange, Credentials, EdgeWrite, Guard, Removal,
    SilenceGuard, StoredSatellite, recorded_address,
};
use groundcontrol_core::satellite::{
    CredentialVersion, Epoch, HashedToken, Liveness, OwnThreshold, PodName, ReportedAgent,
    Satellite, SatelliteId, Seq, SessionId, Tags, Token, TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use uuid::Uuid;

const THRESHOLD: Millis = Millis::new(100);
const SATELLITE: SatelliteId = SatelliteId(Uuid::from_u128(1));
const TOKEN: TokenId = TokenId(Uuid::from_u128(3));

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A satellite that is connected since 1000 and was last heard at 1050.
fn connected() -> ConnectionSnapshot {
    ConnectionSnapshot {
        satellite: SATELLITE,
        name: "Frankfurt 1".parse().unwrap(),
        region: "eu".parse().unwrap(),
        record: ConnectionRecord {
            epoch: Epoch(4),
            session: Some(SessionId(Uuid::from_u128(2))),
            token: Some(TOKEN),
            last_heartbeat_at: Some(at(1_050)),
            last_event: Some(LifecycleEvent::Connected),
            last_event_at: Some(at(1_000)),
            last_cause: Some(Cause::Authenticated),
            seq: Seq(7),
        },
        own_threshold: None,
        default_threshold: THRESHOLD,
        credential_version: CredentialVersion(5),
        watch: Some(WatchSpan { since: at(10), until: at(9_000) }),
    }
}

fn with_own_threshold(millis: u64) -> ConnectionSnapshot {
    ConnectionSnapshot { own_threshold: OwnThreshold::stored(Millis::new(millis)), ..connected() }
}

fn origin() -> Origin {
    Origin {
        pod: PodName::new("pod-1"),
        actor: Some(Actor("ops".into())),
        remote_address: Some("192.0.2.7".into()),
    }
}

/// The write of the satellite's clean end at `now`.
fn close(read: ConnectionSnapshot, now: Timestamp) -> EdgeWrite {
    let command = Command::Close { epoch: read.record.epoch, reason: CloseReason::ClientClosed };
    let Decision::Record(change) = decide(&read.record, &command, &read.context(now, Millis::ZERO))
    else {
        panic!("the close of an open session is recorded");
    };
    EdgeWrite { read, change, guard: Guard::of(&command), origin: origin(), now }
}

fn removal(read: ConnectionSnapshot, now: Timestamp) -> Removal {
    Removal { read, origin: origin(), now }
}

#[test]
fn a_decision_depends_on_what_was_read_with_the_record() {
    let context = |read: ConnectionSnapshot| read.context(at(2_000), Millis::new(8));
    let expected = Context {
        now: at(2_000),
        threshold: THRESHOLD,
        settle: Millis::new(8),
        credential_version: CredentialVersion(5),
        watch: connected().watch,
    };
    assert_eq!(context(connected()), expected);
    let own = Context { threshold: Millis::new(700), ..expected };
    assert_eq!(context(with_own_threshold(700)), own);
}

#[test]
fn a_transition_names_the_satellite_and_its_state_before_and_after() {
    let read = with_own_threshold(700);
    let Subject { id, name, region, threshold } = read.subject();
    assert_eq!((id, name, region), (SATELLITE, &read.name, &read.region));
    assert_eq!(threshold, Millis::new(700));

    let write = close(read.clone(), at(1_400));
    let transition = write.transition();
    assert_eq!(transition.satellite, SATELLITE);
    assert_eq!((transition.seq, transition.epoch), (Seq(8), Epoch(4)));
    assert_eq!(transition.kind, Some(TransitionKind::Edge(LifecycleEvent::Disconnected)));
    assert_eq!(transition.occurred_at, at(1_400));
    let (previous, next) = (transition.previous.unwrap(), transition.next.unwrap());
    assert_eq!((previous.status, previous.seq), (Status::Online, Seq(7)));
    assert_eq!((next.status, next.last_seen_at), (Status::Offline, None));
    assert_eq!((next.name, next.region), (read.name, read.region));
}

#[test]
fn the_state_before_is_as_it_was_read_then_also_where_the_threshold_had_passed() {
    let late = close(connected(), at(1_151)).transition();
    assert_eq!(late.previous.unwrap().status, Status::Offline);
    let in_time = close(connected(), at(1_150)).transition();
    assert_eq!(in_time.previous.unwrap().status, Status::Online);
}

#[test]
fn t7_a_removal_is_the_next_number_without_a_state_after_and_never_before_the_last_edge() {
    let transition = removal(connected(), at(1_100)).transition();
    assert_eq!((transition.seq, transition.epoch), (Seq(8), Epoch(4)));
    assert_eq!(transition.kind, Some(TransitionKind::Removed));
    assert_eq!((transition.cause, transition.next), (None, None));
    assert_eq!(transition.occurred_at, at(1_100));
    assert_eq!(transition.previous.unwrap().status, Status::Online);
    assert_eq!(removal(connected(), at(999)).transition().occurred_at, at(1_000));
}

#[test]
fn e1_the_kind_of_an_event_and_the_status_after_it_follow_from_the_edge() {
    let kinds = |kind: TransitionKind| {
        let event = EventKind::of(kind);
        (event.name(), event.status().unwrap())
    };
    let edge = |event| kinds(TransitionKind::Edge(event));
    assert_eq!(edge(LifecycleEvent::Connected), ("satellite.connected", Status::Online));
    assert_eq!(edge(LifecycleEvent::Disconnected), ("satellite.disconnected", Status::Offline));
    assert_eq!(edge(LifecycleEvent::HeartbeatLost), ("satellite.heartbeat_lost", Status::Offline));
    assert_eq!(kinds(TransitionKind::Removed), ("satellite.removed", Status::Offline));
}

#[test]
fn e2_an_event_says_what_its_transition_says_and_has_the_satellites_number_as_its_id() {
    let transition = close(connected(), at(1_100)).transition();
    let event = SatelliteEvent::derive(&transition).unwrap();
    assert_eq!(event.id, "00000000-0000-0000-0000-000000000001:8");
    assert_eq!(event.kind, EventKind::Disconnected);
    assert_eq!((event.satellite, event.seq, event.epoch), (SATELLITE, Seq(8), Epoch(4)));
    assert_eq!((event.cause, event.actor), (transition.cause, transition.actor));
    assert_eq!((event.previous, event.next), (transition.previous, transition.next));

    let removed = removal(connected(), at(1_100)).transition();
    let kind = SatelliteEvent::derive(&removed).map(|event| event.kind);
    assert_eq!(kind, Some(EventKind::Removed));
}

#[test]
fn e4_no_event_is_made_of_a_transition_that_this_version_does_not_understand() {
    let known = close(connected(), at(1_100)).transition();
    let unknown = Transition { kind: None, ..known.clone() };
    assert_eq!(SatelliteEvent::derive(&unknown), None);
    let edge_without_a_state = Transition { next: None, ..known.clone() };
    assert_eq!(SatelliteEvent::derive(&edge_without_a_state), None);
    let removal_with_a_state = Transition { kind: Some(TransitionKind::Removed), ..known };
    assert_eq!(SatelliteEvent::derive(&removal_with_a_state), None);
}

#[test]
fn e4_every_kind_of_transition_is_found_by_its_name_and_no_other_is() {
    let edges = LifecycleEvent::ALL.iter().map(|event| TransitionKind::Edge(*event));
    for kind in edges.chain([TransitionKind::Removed]) {
        assert_eq!(TransitionKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(TransitionKind::Removed.name(), "removed");
    assert_eq!(TransitionKind::from_name("paused"), None);
}

#[test]
fn an_edge_depends_on_what_its_command_was_decided_on() {
    let epoch = Epoch(1);
    let connect = Command::Connect {
        session: SessionId(Uuid::nil()),
        token: TOKEN,
        seen_epoch: epoch,
        credential_version: CredentialVersion(1),
    };
    let session = [
        Command::Heartbeat { epoch, at: at(0) },
        Command::Close { epoch, reason: CloseReason::Drained },
    ];
    let credential = [connect, Command::Revoke { scope: RevokeScope::AnyToken }];
    assert_eq!(session.map(|command| Guard::of(&command)), [Guard::Session; 2]);
    assert_eq!(credential.map(|command| Guard::of(&command)), [Guard::Credential; 2]);
    assert_eq!(Guard::of(&Command::Sweep), Guard::Silence);
}

#[test]
fn a_loss_depends_on_all_that_makes_a_silence_too_long() {
    let read = with_own_threshold(700);
    let expected = SilenceGuard {
        heard: Some(at(1_050)),
        own_threshold: OwnThreshold::stored(Millis::new(700)),
        default_threshold: THRESHOLD,
        watching_since: Some(at(10)),
    };
    assert_eq!(SilenceGuard::from(&read), expected);
}

#[test]
fn s1_s4_a_stored_satellite_is_read_by_the_threshold_in_force_for_it() {
    let satellite = Satellite {
        id: SATELLITE,
        name: "n".parse().unwrap(),
        region: "r".parse().unwrap(),
        tags: Tags::default(),
        own_threshold: None,
        enabled: true,
        agent: ReportedAgent::default(),
        managed_by: None,
        created_at: at(0),
    };
    let stored = StoredSatellite { satellite, record: connected().record, threshold: THRESHOLD };
    assert_eq!(stored.status(at(1_150)), Status::Online);
    assert_eq!(stored.status(at(1_151)), Status::Offline);
    assert_eq!(stored.state(at(1_150)).map(|state| state.status), Some(Status::Online));
    assert_eq!(stored.state(at(1_151)).map(|state| state.status), Some(Status::Offline));
    let never = StoredSatellite { record: ConnectionRecord::default(), ..stored };
    assert_eq!(never.state(at(1_150)), None);
}

fn token(number: u128) -> HashedToken {
    let hash = TokenHash::of(&Token::presented(number.to_string()));
    HashedToken { id: TokenId(Uuid::from_u128(number)), hash, expires_at: None }
}

#[test]
fn a_change_of_credentials_records_an_edge_exactly_where_it_ends_a_session() {
    let write = close(connected(), at(1_100));
    let mut change = CredentialChange {
        read: connected(),
        action: CredentialAction::Replace(token(9)),
        edge: Some(write.change.clone()),
        origin: origin(),
        now: at(1_100),
    };
    assert_eq!(change.transition(), Some(write.transition()));
    change.edge = None;
    assert_eq!(change.transition(), None);
}

#[test]
fn a_change_of_credentials_is_done_where_what_is_held_is_as_it_would_make_it() {
    let held = Credentials {
        snapshot: connected(),
        enabled: true,
        tokens: vec![token(1), token(2)],
        agent: ReportedAgent::default(),
    };
    let overlap = |new| CredentialAction::Overlap { new, until: at(1) };
    let rehash = |token: HashedToken, hash| CredentialAction::Rehash { token: token.id, hash };
    let done = [
        CredentialAction::Replace(token(2)),
        overlap(token(1)),
        CredentialAction::Drop(token(3).id),
        CredentialAction::SetEnabled(true),
        rehash(token(2), token(2).hash),
    ];
    let not_done = [
        CredentialAction::Replace(token(3)),
        overlap(token(3)),
        CredentialAction::Drop(token(2).id),
        CredentialAction::SetEnabled(false),
        rehash(token(2), token(1).hash),
        rehash(token(3), token(2).hash),
    ];
    for action in done {
        assert!(action.is_done(&held), "{action:?}");
    }
    for action in not_done {
        assert!(!action.is_done(&held), "{action:?}");
    }
}

#[test]
fn an_address_is_recorded_in_one_way_whichever_socket_saw_it() {
    let recorded = |text: &str| recorded_address(text.parse::<IpAddr>().unwrap());
    assert_eq!(recorded("::ffff:192.0.2.7"), "192.0.2.7");
    assert_eq!(recorded("192.0.2.7"), "192.0.2.7");
    assert_eq!(recorded("2001:db8:0:0::7"), "2001:db8::7");
}

#[test]
fn what_a_rule_names_is_shown_as_it_is_stored() {
    assert_eq!(SATELLITE.to_string(), "00000000-0000-0000-0000-000000000001");
    assert_eq!(SATELLITE.to_string().parse(), Ok(SATELLITE));
    assert_eq!(TOKEN.to_string(), "00000000-0000-0000-0000-000000000003");
    assert_eq!((Epoch(7).to_string(), Seq(8).to_string()), ("7".into(), "8".into()));
    assert_eq!((Epoch(7).next(), Seq(8).next()), (Epoch(8), Seq(9)));
    assert_eq!(CredentialVersion(1).next(), CredentialVersion(2));
    let pod = PodName::new("pod-1");
    assert_eq!((pod.as_str(), pod.to_string()), ("pod-1", "pod-1".to_owned()));
    assert_eq!(Actor("ops".into()).to_string(), "ops");
    let name: groundcontrol_core::satellite::Name = "Frankfurt 1".parse().unwrap();
    assert_eq!((name.as_str(), name.to_string()), ("Frankfurt 1", "Frankfurt 1".to_owned()));
}

#[test]
fn s2_a_lease_lasts_one_heartbeat_interval() {
    let fleet = Liveness::new(Millis::from_secs(15), Millis::from_secs(45)).unwrap();
    assert_eq!(fleet.lease(), Millis::from_secs(15));
    let own = OwnThreshold::new(Millis::from_secs(60), fleet.heartbeat_interval).unwrap();
    assert_eq!(fleet.threshold(Some(own)), Millis::from_secs(60));
    assert_eq!(fleet.threshold(None), Millis::from_secs(45));
}
