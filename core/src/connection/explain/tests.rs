//! What is said of each state, and what must hold of every explanation.

use proptest::prelude::*;

use super::*;
use crate::connection::{
    Change, CloseReason, Command, Context, Decision, Origin, RevokeScope, Subject, decide,
    is_overdue,
};
use crate::satellite::{CredentialVersion, Region, Seq, TokenId};
use uuid::Uuid;

const THRESHOLD: Millis = Millis::from_secs(45);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn id() -> SatelliteId {
    SatelliteId(Uuid::from_u128(7))
}

/// A satellite whose story is told by commands, each at its time.
struct Story {
    name: Name,
    region: Region,
    record: ConnectionRecord,
    transitions: Vec<Transition>,
    enabled: bool,
    watch: Option<WatchSpan>,
}

impl Story {
    fn new() -> Self {
        let watch = Some(WatchSpan { since: at(0), until: at(i64::MAX) });
        Self {
            name: "Frankfurt 1".parse().unwrap(),
            region: "eu".parse().unwrap(),
            record: ConnectionRecord::default(),
            transitions: Vec::new(),
            enabled: true,
            watch,
        }
    }

    fn then(mut self, now: i64, command: Command) -> Self {
        let version = CredentialVersion(1);
        let (threshold, settle) = (THRESHOLD, Millis::new(300));
        let context = Context {
            now: at(now),
            threshold,
            settle,
            credential_version: version,
            watch: self.watch,
        };
        match decide(&self.record, &command, &context) {
            Decision::Record(change) => self.record_edge(&change, at(now)),
            Decision::Beat { heard } => self.record.last_heartbeat_at = Some(heard),
            other => panic!("{command:?} at {now}: {other:?}"),
        }
        self
    }

    fn record_edge(&mut self, change: &Change, now: Timestamp) {
        let subject =
            Subject { id: id(), name: &self.name, region: &self.region, threshold: THRESHOLD };
        let remote_address = Some("192.0.2.1:5000".to_owned());
        let origin = Origin { pod: PodName::new("pod-1"), actor: None, remote_address };
        let transition = Transition::of_edge(subject, &self.record, change, origin, now);
        self.transitions.insert(0, transition);
        self.record = change.next.clone();
    }

    fn connected(self, now: i64) -> Self {
        let seen_epoch = self.record.epoch;
        let session = SessionId(Uuid::from_u128(u128::from(seen_epoch.0) + 100));
        let (token, credential_version) = (TokenId(Uuid::nil()), CredentialVersion(1));
        self.then(now, Command::Connect { session, token, seen_epoch, credential_version })
    }

    fn closed(self, now: i64, reason: CloseReason) -> Self {
        let epoch = self.record.epoch;
        self.then(now, Command::Close { epoch, reason })
    }

    fn explained(&self, now: i64) -> Explanation {
        explain(&Facts {
            satellite: id(),
            name: &self.name,
            enabled: self.enabled,
            agent_version: Some("1.2.3"),
            record: &self.record,
            own_threshold: None,
            liveness: Liveness {
                heartbeat_interval: Millis::from_secs(15),
                default_threshold: THRESHOLD,
            },
            settle: Millis::new(300),
            watch: self.watch,
            transitions: &self.transitions,
            clock: ClockReading { error: Millis::new(2), wall_ahead: Some(-1_500) },
            now: at(now),
        })
    }
}

fn why(explanation: &Explanation) -> (Status, Reason, Rule) {
    (explanation.status, explanation.reason, explanation.rule)
}

#[test]
fn s4_who_never_connected_is_told_to_start_its_agent() {
    let never = Story::new().explained(1_000);
    assert_eq!(why(&never), (Status::Offline, Reason::NeverConnected, Rule::S4));
    assert_eq!(never.session, None);
    let words = never.words();
    assert_eq!(words.summary, "Frankfurt 1 is offline: its agent never connected.");
    assert!(words.advice[0].contains("Start its agent"), "{words:?}");
}

#[test]
fn s1_who_is_heard_is_told_until_when_that_holds() {
    let heard = Story::new().connected(1_000).explained(11_000);
    assert_eq!(why(&heard), (Status::Online, Reason::Heard, Rule::S1));
    let heartbeat = HeartbeatAge { at: at(1_000), age: Millis::from_secs(10), within: true };
    assert_eq!(heard.heartbeat, Some(heartbeat));
    let expected = [
        Outlook::OfflineAfter(at(46_000)),
        Outlook::LossAfter(at(46_300)),
        Outlook::HeartbeatKeeps,
    ];
    assert_eq!(heard.outlook, expected);
    let words = heard.words();
    assert_eq!(
        words.summary,
        "Frankfurt 1 is online: it was last heard 10 s ago, within its threshold of 45 s."
    );
    assert!(words.advice.is_empty(), "{words:?}");
}

#[test]
fn a_session_is_told_with_its_pod_its_address_and_its_agents_version() {
    let heard = Story::new().connected(1_000).explained(2_000);
    let session = heard.session.clone().unwrap();
    assert_eq!((session.epoch, session.since), (Epoch(1), Some(at(1_000))));
    assert!(!session.ended && !session.took_over);
    let said = heard.words().because.join(" ");
    for word in ["number 1", "pod-1", "192.0.2.1:5000", "1.2.3", "1970-01-01T00:00:01.000Z"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn s1_who_is_silent_is_offline_before_any_loss_is_recorded() {
    let silent = Story::new().connected(1_000).explained(46_001);
    assert_eq!(why(&silent), (Status::Offline, Reason::Silent, Rule::S1));
    assert!(silent.outlook.contains(&Outlook::LossAfter(at(46_300))));
    assert!(silent.words().summary.contains("not recorded as a loss yet"));
}

#[test]
fn t5_where_nobody_watches_no_loss_is_promised() {
    let mut story = Story::new().connected(1_000);
    story.watch = Some(WatchSpan { since: at(0), until: at(40_000) });
    assert!(story.explained(46_001).outlook.contains(&Outlook::NobodyWatches));
    story.watch = None;
    assert!(story.explained(46_001).outlook.contains(&Outlook::NobodyWatches));
}

#[test]
fn t3_who_was_lost_comes_back_by_a_heartbeat_or_a_connection() {
    let lost = Story::new().connected(1_000).then(50_000, Command::Sweep).explained(60_000);
    assert_eq!(why(&lost), (Status::Offline, Reason::Lost, Rule::T5));
    assert_eq!(lost.outlook, [Outlook::HeartbeatResumes, Outlook::ConnectBrings]);
    assert_eq!(lost.edges[0].rule, Rule::T5);
    assert!(lost.session.unwrap().since.is_some());
}

#[test]
fn t4_how_a_session_ended_is_told_by_its_cause() {
    for (reason, word) in [
        (CloseReason::ClientClosed, "its agent closed the connection"),
        (CloseReason::ConnectionLost, "broke without a goodbye"),
        (CloseReason::IdleTimeout, "idle limit"),
        (CloseReason::ProtocolError, "broke the protocol"),
        (CloseReason::SlowConsumer, "did not read"),
    ] {
        let ended = Story::new().connected(1_000).closed(2_000, reason).explained(3_000);
        assert_eq!(why(&ended), (Status::Offline, Reason::Ended, Rule::T4));
        assert_eq!((ended.heartbeat, ended.session.as_ref().unwrap().ended), (None, true));
        let words = ended.words();
        assert!(words.summary.contains(word), "{words:?}");
        assert!(!words.advice.is_empty());
    }
}

#[test]
fn t8_a_revoked_session_and_a_disabled_satellite_are_told_apart() {
    let revoke = Command::Revoke { scope: RevokeScope::AnyToken };
    let mut story = Story::new().connected(1_000).then(2_000, revoke);
    let revoked = story.explained(3_000);
    assert_eq!(why(&revoked), (Status::Offline, Reason::Revoked, Rule::T8));
    assert_eq!(revoked.outlook, [Outlook::ConnectBrings]);
    story.enabled = false;
    let disabled = story.explained(3_000);
    assert_eq!(why(&disabled), (Status::Offline, Reason::Disabled, Rule::T8));
    assert_eq!(disabled.outlook, [Outlook::EnableAllows]);
}

#[test]
fn t1_a_takeover_is_told_and_the_newest_session_is_the_one_that_counts() {
    let twice = Story::new().connected(1_000).connected(2_000).explained(3_000);
    let session = twice.session.clone().unwrap();
    assert_eq!((session.epoch, session.since), (Epoch(2), Some(at(2_000))));
    assert!(session.took_over);
    assert!(twice.words().because.join(" ").contains("took over"));
}

#[test]
fn e4_an_edge_that_is_not_known_is_not_guessed_at() {
    let mut story = Story::new().connected(1_000);
    story.record.last_event = None;
    story.transitions[0].kind = None;
    let unknown = story.explained(2_000);
    assert_eq!(why(&unknown), (Status::Offline, Reason::Unknown, Rule::E4));
    assert_eq!(unknown.edges[0].rule, Rule::E4);
}

#[test]
fn p11_a_wall_clock_that_is_off_is_told_with_its_side() {
    let story = Story::new();
    let mut explanation = story.explained(1);
    let said = |explanation: &Explanation| explanation.words().because.join(" ");
    assert!(said(&explanation).contains("1500 ms behind"));
    explanation.clock.wall_ahead = Some(2_000);
    assert!(said(&explanation).contains("2 s ahead of"));
    explanation.clock.wall_ahead = None;
    assert!(!said(&explanation).contains("wall clock"));
}

#[test]
fn every_rule_is_the_one_that_recorded_its_edge() {
    let lost = Some(Cause::HeartbeatTimeout);
    for (event, cause, rule) in [
        (LifecycleEvent::Connected, Some(Cause::Authenticated), Rule::T1),
        (LifecycleEvent::Connected, Some(Cause::TookOver), Rule::T1),
        (LifecycleEvent::Connected, Some(Cause::HeartbeatResumed), Rule::T3),
        (LifecycleEvent::Disconnected, Some(Cause::ClientClosed), Rule::T4),
        (LifecycleEvent::Disconnected, Some(Cause::Revoked), Rule::T8),
        (LifecycleEvent::HeartbeatLost, lost, Rule::T5),
    ] {
        assert_eq!(Rule::recording(event, cause), rule, "{event} {cause:?}");
    }
}

#[test]
fn an_outlook_says_its_name_its_time_and_its_rule() {
    let timed = Outlook::LossAfter(at(5));
    assert_eq!((timed.name(), timed.at(), timed.rule()), ("loss_after", Some(at(5)), Rule::T5));
    let other = Outlook::EnableAllows;
    assert_eq!((other.name(), other.at(), other.rule()), ("enable_allows", None, Rule::T8));
}

proptest! {
    /// Whatever is recorded: the status is that of rule S1, it changes when the outlook says and
    /// not before, and there is something to say.
    #[test]
    fn s1_an_explanation_agrees_with_the_rules_at_every_moment(
        event in proptest::option::of(0..3_usize),
        heard in proptest::option::of(0..100_000_i64),
        now in 0..200_000_i64,
        enabled: bool,
        watch in proptest::option::of((0..100_000_i64, 0..200_000_i64)),
    ) {
        let mut story = Story::new();
        story.enabled = enabled;
        story.record.last_event = event.map(|event| LifecycleEvent::ALL[event]);
        story.record.last_heartbeat_at = heard.map(at);
        story.record.seq = Seq(u64::from(event.is_some()));
        story.watch = watch.map(|(since, until)| WatchSpan { since: at(since), until: at(until) });
        let explanation = story.explained(now);
        prop_assert_eq!(explanation.status, status(&story.record, THRESHOLD, at(now)));
        prop_assert!(!explanation.words().summary.is_empty());
        prop_assert!(!explanation.outlook.is_empty());
        for outlook in explanation.outlook {
            let settle = Millis::new(300);
            match outlook {
                Outlook::OfflineAfter(end) => {
                    let later = end + Millis::new(1);
                    prop_assert_eq!(status(&story.record, THRESHOLD, end), Status::Online);
                    prop_assert_eq!(status(&story.record, THRESHOLD, later), Status::Offline);
                }
                Outlook::LossAfter(end) => {
                    let watch = story.watch.map(|watch| WatchSpan { until: at(i64::MAX), ..watch });
                    let overdue = |now| is_overdue(&story.record, watch, THRESHOLD, settle, now);
                    prop_assert!(!overdue(end));
                    prop_assert!(overdue(end + Millis::new(1)));
                }
                _ => {}
            }
        }
    }
}
