//! The faults of records and histories: each is named, and what is right has none.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use groundcontrol_core::connection::{
    Cause, ConnectionRecord, HistoryFault, LifecycleEvent, RecordFault, Transition, TransitionKind,
    check_history, check_record,
};
use groundcontrol_core::satellite::{Epoch, PodName, SatelliteId, Seq, SessionId, TokenId};
use groundcontrol_core::time::Timestamp;
use uuid::Uuid;

use Cause::{Authenticated, HeartbeatResumed, HeartbeatTimeout, TookOver};
use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};

/// Edges with their epochs and causes.
type Edges<'a> = &'a [(u64, LifecycleEvent, Cause)];

/// What ends a session, by its cause.
const ENDS: [Cause; 6] = [
    Cause::ClientClosed,
    Cause::ConnectionLost,
    Cause::IdleTimeout,
    Cause::ProtocolError,
    Cause::SlowConsumer,
    Cause::Revoked,
];

fn session(epoch: u64) -> SessionId {
    SessionId(Uuid::from_u128(epoch.into()))
}

fn at(seq: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seq).unwrap() * 1_000)
}

fn transition(seq: u64, epoch: u64, kind: TransitionKind, cause: Option<Cause>) -> Transition {
    Transition {
        satellite: SatelliteId(Uuid::nil()),
        seq: Seq(seq),
        epoch: Epoch(epoch),
        session: Some(session(epoch)),
        kind: Some(kind),
        cause,
        occurred_at: at(seq),
        pod: PodName::new("pod"),
        actor: None,
        remote_address: None,
        previous: None,
        next: None,
    }
}

/// The transitions of such edges, numbered from 1.
fn history(edges: Edges<'_>) -> Vec<Transition> {
    let numbered = (1..).zip(edges);
    numbered
        .map(|(seq, (epoch, event, cause))| {
            transition(seq, *epoch, TransitionKind::Edge(*event), Some(*cause))
        })
        .collect()
}

/// The record that such a history leaves.
fn result_of(history: &[Transition]) -> ConnectionRecord {
    let Some(last) = history.last() else { return ConnectionRecord::default() };
    let Some(TransitionKind::Edge(event)) = last.kind else { panic!("the last is an edge") };
    ConnectionRecord {
        epoch: last.epoch,
        session: last.session,
        token: Some(TokenId(Uuid::nil())),
        last_heartbeat_at: (event != Disconnected).then_some(last.occurred_at),
        last_event: Some(event),
        last_event_at: Some(last.occurred_at),
        last_cause: last.cause,
        seq: last.seq,
    }
}

fn check(edges: Edges<'_>) -> Result<(), HistoryFault> {
    let history = history(edges);
    check_history(&history, Some(&result_of(&history)))
}

fn connected() -> ConnectionRecord {
    result_of(&history(&[(1, Connected, Authenticated)]))
}

#[test]
fn r1_a_record_is_of_a_satellite_that_never_connected_in_all_or_in_nothing() {
    assert_eq!(check_record(&ConnectionRecord::default()), Ok(()));
    assert_eq!(check_record(&connected()), Ok(()));
    let never = ConnectionRecord::default;
    let halves = [
        ConnectionRecord { epoch: Epoch(1), ..never() },
        ConnectionRecord { seq: Seq(1), ..never() },
        ConnectionRecord { session: Some(session(1)), ..never() },
        ConnectionRecord { token: Some(TokenId(Uuid::nil())), ..never() },
        ConnectionRecord { last_event_at: Some(at(1)), ..never() },
        ConnectionRecord { last_cause: Some(Authenticated), ..never() },
        ConnectionRecord { last_event: None, ..connected() },
        ConnectionRecord { epoch: Epoch(0), ..connected() },
        ConnectionRecord { seq: Seq(0), ..connected() },
        ConnectionRecord { session: None, ..connected() },
        ConnectionRecord { token: None, ..connected() },
        ConnectionRecord { last_event_at: None, ..connected() },
        ConnectionRecord { last_cause: None, ..connected() },
    ];
    for record in halves {
        assert_eq!(check_record(&record), Err(RecordFault::NeverConnected), "{record:?}");
    }
}

#[test]
fn r2_a_heartbeat_time_is_there_while_a_session_may_be_heard_and_never_else() {
    for (event, must_be_there) in [(Connected, true), (HeartbeatLost, true), (Disconnected, false)]
    {
        let with = ConnectionRecord {
            last_event: Some(event),
            last_heartbeat_at: Some(at(1)),
            ..connected()
        };
        let without = ConnectionRecord { last_heartbeat_at: None, ..with.clone() };
        let (right, wrong) = if must_be_there { (with, without) } else { (without, with) };
        assert_eq!(check_record(&right), Ok(()), "{event}");
        assert_eq!(check_record(&wrong), Err(RecordFault::HeartbeatTime), "{event}");
    }
    let never = ConnectionRecord { last_heartbeat_at: Some(at(1)), ..ConnectionRecord::default() };
    assert_eq!(check_record(&never), Err(RecordFault::HeartbeatTime));
}

#[test]
fn p5_every_order_that_the_grammar_allows_is_right() {
    assert_eq!(check(&[]), Ok(()));
    for end in ENDS {
        let life = [
            (1, Connected, Authenticated),
            (1, HeartbeatLost, HeartbeatTimeout),
            (1, Connected, HeartbeatResumed),
            (2, Connected, TookOver),
            (2, Disconnected, end),
            (3, Connected, Authenticated),
            (3, HeartbeatLost, HeartbeatTimeout),
            (3, Disconnected, end),
            (4, Connected, Authenticated),
            (4, HeartbeatLost, HeartbeatTimeout),
            (5, Connected, Authenticated),
        ];
        for length in 1..=life.len() {
            assert_eq!(check(&life[..length]), Ok(()), "{:?}", &life[..length]);
        }
    }
}

#[test]
fn p5_every_other_order_is_named_with_the_number_of_its_fault() {
    let first = (1, Connected, Authenticated);
    let lost = (1, HeartbeatLost, HeartbeatTimeout);
    let closed = (1, Disconnected, Cause::ClientClosed);
    let orders: &[Edges<'_>] = &[
        // Nothing ends, is lost, resumed or taken over before it began …
        &[(0, Disconnected, Cause::ClientClosed)],
        &[(0, HeartbeatLost, HeartbeatTimeout)],
        &[(0, Connected, HeartbeatResumed)],
        &[(1, Connected, TookOver)],
        // … nor after it ended.
        &[first, closed, closed],
        &[first, closed, lost],
        &[first, closed, (1, Connected, HeartbeatResumed)],
        &[first, closed, (2, Connected, TookOver)],
        // What is lost is lost once, and what is not lost is not resumed.
        &[first, lost, lost],
        &[first, (1, Connected, HeartbeatResumed)],
        // A session that comes while another one counts takes over, and only then.
        &[first, (2, Connected, Authenticated)],
        &[first, lost, (2, Connected, TookOver)],
        // No edge has a cause of another.
        &[(1, Connected, Cause::ClientClosed)],
        &[first, (1, Disconnected, HeartbeatTimeout)],
        &[first, (1, Disconnected, Authenticated)],
        &[first, (1, Disconnected, TookOver)],
        &[first, (1, Disconnected, HeartbeatResumed)],
        &[first, (1, HeartbeatLost, Cause::ClientClosed)],
    ];
    for edges in orders {
        let seq = Seq(edges.len() as u64);
        assert_eq!(check(edges), Err(HistoryFault::Grammar { seq }), "{edges:?}");
    }
}

#[test]
fn p5_a_session_opens_the_next_epoch_and_no_other_edge_does() {
    let first = (1, Connected, Authenticated);
    let lost = (1, HeartbeatLost, HeartbeatTimeout);
    let closed = (1, Disconnected, Cause::ClientClosed);
    let orders: &[(Edges<'_>, u64)] = &[
        (&[(2, Connected, Authenticated)], 0),
        (&[first, closed, (1, Connected, Authenticated)], 1),
        (&[first, closed, (3, Connected, Authenticated)], 1),
        (&[first, (1, Connected, TookOver)], 1),
        (&[first, (2, Disconnected, Cause::ClientClosed)], 1),
        (&[first, (2, HeartbeatLost, HeartbeatTimeout)], 1),
        (&[first, lost, (2, Connected, HeartbeatResumed)], 1),
    ];
    for (edges, previous) in orders {
        let (found, _, _) = edges[edges.len() - 1];
        let fault = HistoryFault::Epochs {
            seq: Seq(edges.len() as u64),
            previous: Epoch(*previous),
            found: Epoch(found),
        };
        assert_eq!(check(edges), Err(fault), "{edges:?}");
    }
}

#[test]
fn p8_a_number_that_is_left_out_or_used_twice_is_named() {
    let edges = [(1, Connected, Authenticated), (1, HeartbeatLost, HeartbeatTimeout)];
    for (index, wrong, previous) in [(0, 2, 0), (0, 0, 0), (1, 3, 1), (1, 1, 1)] {
        let mut history = history(&edges);
        history[index].seq = Seq(wrong);
        let record = result_of(&history);
        let fault = HistoryFault::Gap { previous: Seq(previous), found: Seq(wrong) };
        assert_eq!(check_history(&history, Some(&record)), Err(fault));
    }
}

#[test]
fn p6_a_record_that_differs_from_its_history_in_anything_is_a_fault() {
    let history = history(&[(1, Connected, Authenticated), (2, Connected, TookOver)]);
    let right = result_of(&history);
    let wrong = [
        ConnectionRecord::default(),
        ConnectionRecord { seq: Seq(3), ..right.clone() },
        ConnectionRecord { epoch: Epoch(1), ..right.clone() },
        ConnectionRecord { session: Some(session(1)), ..right.clone() },
        ConnectionRecord { last_event: Some(HeartbeatLost), ..right.clone() },
        ConnectionRecord { last_event_at: Some(at(1)), ..right.clone() },
        ConnectionRecord { last_cause: Some(Authenticated), ..right.clone() },
    ];
    for record in wrong {
        let found = check_history(&history, Some(&record));
        assert_eq!(found, Err(HistoryFault::NotTheRecord), "{record:?}");
    }
    let heard_since = ConnectionRecord { last_heartbeat_at: Some(at(9)), ..right };
    assert_eq!(check_history(&history, Some(&heard_since)), Ok(()));
    assert_eq!(check_history(&[], Some(&heard_since)), Err(HistoryFault::NotTheRecord));
}

#[test]
fn t7_a_removal_is_the_last_of_its_history_and_leaves_no_record() {
    let mut edges = history(&[(1, Connected, Authenticated)]);
    let record = result_of(&edges);
    assert_eq!(check_history(&edges, None), Err(HistoryFault::NotTheRecord));
    edges.push(transition(2, 1, TransitionKind::Removed, None));
    assert_eq!(check_history(&edges, None), Ok(()));
    assert_eq!(check_history(&edges, Some(&record)), Err(HistoryFault::NotTheRecord));
    edges.push(transition(3, 2, TransitionKind::Edge(Connected), Some(Authenticated)));
    let after_removal = check_history(&edges, Some(&result_of(&edges)));
    assert_eq!(after_removal, Err(HistoryFault::Grammar { seq: Seq(3) }));

    let never_connected = [transition(1, 0, TransitionKind::Removed, None)];
    assert_eq!(check_history(&never_connected, None), Ok(()));
    assert_eq!(check_history(&[], None), Ok(()));
    let with_a_cause = [transition(1, 0, TransitionKind::Removed, Some(Cause::Revoked))];
    let found = check_history(&with_a_cause, None);
    assert_eq!(found, Err(HistoryFault::Grammar { seq: Seq(1) }));
    let in_a_new_epoch = [transition(1, 1, TransitionKind::Removed, None)];
    let fault = HistoryFault::Epochs { seq: Seq(1), previous: Epoch(0), found: Epoch(1) };
    assert_eq!(check_history(&in_a_new_epoch, None), Err(fault));
}
