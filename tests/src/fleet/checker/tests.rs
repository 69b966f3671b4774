//! Wrong histories, each of which is noticed and named; and right ones, which are not.

use serde_json::{Value, json};

use super::*;
use crate::fleet::account::{Account, Answer, Attempt, End, Moment};
use crate::fleet::record::{Delivered, Transition};
use crate::fleet::troubles::{Scope, Trouble};

const ID: &str = "a";
const HEARTBEAT: i64 = 1_000;
const THRESHOLD: i64 = 3_000;

/// The story of one satellite, told by its agent and by the records at once.
struct Story {
    evidence: Evidence,
}

/// A time that every agent of these stories is long past.
fn at(seconds: f64) -> Moment {
    1_700_000_000_000 + (seconds * 1_000.0) as Moment
}

fn instant(moment: Moment) -> Value {
    let nanos = i128::from(moment) * 1_000_000;
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
    json!(time.format(&time::format_description::well_known::Rfc3339).unwrap())
}

impl Story {
    fn begin() -> Self {
        let account = Account { satellite: ID.to_owned(), attempts: Vec::new() };
        let histories = [(ID.to_owned(), Vec::new())].into();
        let (heartbeat, threshold) = (HEARTBEAT, THRESHOLD);
        let accounts = vec![account];
        Self {
            evidence: Evidence { heartbeat, threshold, accounts, histories, ..Evidence::default() },
        }
    }

    /// The agent connects and beats once a second for so many seconds, and then ends so.
    fn session(mut self, from: f64, seconds: u32, end: Option<End>) -> Self {
        let ends = at(from + f64::from(seconds) + 0.5);
        self.evidence.accounts[0].attempts.push(Attempt {
            pod: 0,
            token: 0,
            presented: at(from),
            answer: Answer::Accepted(at(from) + 20),
            beats: (0..=seconds).map(|second| at(from + f64::from(second)) + 30).collect(),
            closing: (end == Some(End::Left)).then_some(ends - 10),
            ended: end.map(|end| (ends, end)),
        });
        self
    }

    /// Something is recorded, with the last heartbeat as the state after has it.
    fn recorded(mut self, when: f64, epoch: u64, cause: &str, seen: Option<f64>) -> Self {
        let event = match cause {
            "authenticated" | "took_over" | "heartbeat_resumed" => "connected",
            "heartbeat_timeout" => "heartbeat_lost",
            _ => "disconnected",
        };
        let history = self.history();
        let seq = history.len() as u64 + 1;
        let status = if event == "connected" { "online" } else { "offline" };
        let next = json!({
            "status": status, "lastSeenAt": seen.map(|seen| instant(at(seen))),
            "lastEvent": event, "lastEventAt": instant(at(when)),
            "cause": cause, "seq": seq, "epoch": epoch,
        });
        let previous = history.last().map_or(Value::Null, |before| before.next.clone());
        history.push(Transition {
            seq,
            epoch,
            event: event.to_owned(),
            cause: Some(cause.to_owned()),
            at: at(when),
            pod: "pod-0-1".to_owned(),
            previous,
            next,
        });
        self
    }

    fn history(&mut self) -> &mut Vec<Transition> {
        self.evidence.histories.get_mut(ID).unwrap()
    }

    /// One listener was told all that is recorded so far.
    fn told(mut self) -> Self {
        let told = self.history().iter().map(|transition| Delivered {
            satellite: ID.to_owned(),
            seq: transition.seq,
            epoch: transition.epoch,
            kind: format!("satellite.{}", transition.event),
            cause: transition.cause.clone(),
            at: transition.at,
        });
        let told = told.collect();
        self.evidence.delivered.push(told);
        self
    }

    fn trouble(mut self, from: f64, until: f64, deaf: bool) -> Self {
        let (from, until) = (at(from), at(until));
        let deaf = deaf.then_some((from, until));
        let until = Some(until);
        self.evidence.troubles.push(Trouble { what: "", scope: Scope::All, from, until, deaf });
        self
    }

    /// What is noticed, by rule.
    fn noticed(&self) -> Vec<&'static str> {
        check(&self.evidence).violations.iter().map(|violation| violation.rule).collect()
    }
}

/// Connected, silent, lost, back on the same socket, gone politely.
fn eventful() -> Story {
    let mut story = Story::begin()
        .session(0.0, 30, Some(End::Left))
        .recorded(0.01, 1, "authenticated", Some(0.01))
        .recorded(13.3, 1, "heartbeat_timeout", Some(10.03))
        .recorded(20.1, 1, "heartbeat_resumed", Some(20.03))
        .recorded(30.5, 1, "client_closed", None);
    let silent = |beat: &Moment| !(at(10.5)..at(19.5)).contains(beat);
    story.evidence.accounts[0].attempts[0].beats.retain(silent);
    story.told()
}

/// Connected and beating for half a minute, until the connection broke, which nobody recorded.
fn quiet() -> Story {
    Story::begin().session(0.0, 30, Some(End::Broken)).recorded(
        0.01,
        1,
        "authenticated",
        Some(0.01),
    )
}

#[test]
fn a_right_history_passes_and_everything_in_it_was_looked_at() {
    let verdict = check(&eventful().evidence);
    assert_eq!(verdict.violations, []);
    let looked = (verdict.transitions, verdict.deliveries, verdict.sessions);
    assert_eq!(looked, (4, 4, 1));
    assert_eq!((verdict.losses, verdict.sound_losses, verdict.silences), (1, 1, 1));
}

#[test]
fn p8_a_number_that_is_left_out_or_used_twice_is_noticed() {
    for seq in [2, 4] {
        let mut story = eventful();
        story.history()[2].seq = seq;
        story.evidence.delivered.clear();
        assert!(story.noticed().contains(&"P8"));
    }
}

#[test]
fn p5_edges_that_cannot_follow_one_another_are_noticed() {
    let wrong = [
        quiet().recorded(1.0, 1, "took_over", Some(1.0)),
        quiet().recorded(1.0, 2, "authenticated", Some(1.0)),
        quiet().recorded(1.0, 3, "took_over", Some(1.0)),
        quiet().recorded(1.0, 1, "heartbeat_resumed", Some(1.0)),
        quiet().recorded(1.0, 2, "connection_lost", None),
        eventful().recorded(31.0, 1, "heartbeat_timeout", Some(1.0)),
    ];
    for story in wrong {
        assert!(story.noticed().contains(&"P5"), "{:?}", story.evidence.histories);
    }
}

#[test]
fn p6_a_state_that_changed_without_a_transition_is_noticed() {
    let mut story = eventful();
    story.history()[2].previous["epoch"] = json!(7);
    assert_eq!(story.noticed(), ["P6"]);
}

#[test]
fn r2_a_heartbeat_time_after_a_clean_end_is_noticed() {
    let mut story = eventful();
    story.history()[3].next["lastSeenAt"] = instant(at(30.0));
    assert_eq!(story.noticed(), ["R2"]);
}

#[test]
fn t5_a_loss_within_the_threshold_is_noticed() {
    let mut story = eventful();
    story.history()[1].next["lastSeenAt"] = instant(at(10.3));
    assert_eq!(story.noticed(), ["T5"]);
}

#[test]
fn e3_an_event_that_is_missing_doubled_swapped_or_changed_is_noticed() {
    type Spoil = fn(&mut Vec<Delivered>);
    let spoils: [Spoil; 5] = [
        |told| drop(told.pop()),
        |told| drop(told.remove(1)),
        |told| told.insert(1, told[0].clone()),
        |told| told.swap(1, 2),
        |told| told[2].cause = Some("authenticated".to_owned()),
    ];
    for spoil in spoils {
        let mut story = eventful();
        spoil(&mut story.evidence.delivered[0]);
        assert_eq!(story.noticed(), ["E3"]);
    }
}

#[test]
fn e3_an_acceptance_that_is_not_recorded_is_noticed() {
    assert!(Story::begin().session(0.0, 5, None).noticed().contains(&"E3"));
}

#[test]
fn p1_a_session_that_no_agent_opened_is_noticed() {
    let twice = quiet().recorded(0.02, 2, "took_over", Some(0.02));
    assert_eq!(twice.noticed(), ["P1"]);
}

#[test]
fn p1_an_attempt_without_an_answer_may_have_been_made_but_once() {
    let mut story = quiet().recorded(40.0, 2, "took_over", Some(40.0));
    let mut attempt = story.evidence.accounts[0].attempts[0].clone();
    attempt.presented = at(39.9);
    attempt.answer = Answer::Unknown;
    attempt.beats.clear();
    attempt.ended = Some((at(40.1), End::Broken));
    story.evidence.accounts[0].attempts.push(attempt);
    assert_eq!(story.noticed(), [""; 0]);
    let story = story.recorded(40.05, 3, "took_over", Some(40.05));
    assert_eq!(story.noticed(), ["P1"]);
}

#[test]
fn an_attempt_that_began_later_is_not_taken_for_the_one_that_opened_a_session() {
    let mut story = quiet().recorded(40.0, 2, "took_over", Some(40.0));
    let mut attempt = story.evidence.accounts[0].attempts[0].clone();
    attempt.answer = Answer::Unknown;
    attempt.beats.clear();
    for presented in [38.0, 40.9] {
        attempt.presented = at(presented);
        attempt.ended = Some((at(presented + 1.0), End::Broken));
        story.evidence.accounts[0].attempts.push(attempt.clone());
    }
    let (asked, recorded) = (at(40.2), at(40.3));
    let rotation = Rotation { satellite: ID.to_owned(), token: 0, asked, recorded };
    story.evidence.rotations.push(rotation);
    story.evidence.accounts[0].attempts[2].token = 1;
    let story = story.recorded(40.25, 2, "revoked", None);
    assert_eq!(story.noticed(), [""; 0]);
}

#[test]
fn p11_a_time_of_another_clock_is_noticed() {
    let story = Story::begin().session(0.0, 5, None).recorded(3_600.0, 1, "authenticated", None);
    assert!(story.noticed().contains(&"E3"), "it is not recorded at its time");
}

#[test]
fn t4_an_end_on_record_that_the_agent_contradicts_is_noticed() {
    let wrong = [
        // A pod that stops, and a newer session, record nothing.
        (Some(End::Closed(1012)), "connection_lost"),
        (Some(End::Closed(4409)), "connection_lost"),
        (Some(End::Broken), "client_closed"),
        (Some(End::Dropped), "protocol_error"),
        (None, "connection_lost"),
        (Some(End::Closed(4403)), "revoked"),
    ];
    for (end, cause) in wrong {
        let story = Story::begin()
            .session(0.0, 5, end)
            .recorded(0.01, 1, "authenticated", Some(0.01))
            .recorded(5.5, 1, cause, None);
        assert_eq!(story.noticed(), ["T4"], "{end:?} as {cause}");
    }
}

#[test]
fn t4_a_polite_end_that_is_not_recorded_is_noticed_where_nothing_was_wrong() {
    let story = || {
        let story = Story::begin().session(0.0, 2, Some(End::Left));
        story.recorded(0.01, 1, "authenticated", Some(0.01))
    };
    assert_eq!(story().noticed(), ["T4"]);
    assert_eq!(story().trouble(1.0, 2.0, false).noticed(), [""; 0]);
}

#[test]
fn p9_the_loss_of_who_was_beating_is_noticed_where_nothing_was_wrong() {
    let story = || quiet().recorded(20.0, 1, "heartbeat_timeout", Some(16.9));
    assert_eq!(story().noticed(), ["P9"]);
    assert_eq!(story().trouble(15.0, 17.0, false).noticed(), [""; 0]);
}

#[test]
fn p10_a_loss_soon_after_nobody_could_store_anything_is_noticed() {
    let story = |lost| {
        let story = quiet().recorded(lost, 1, "heartbeat_timeout", Some(9.0));
        story.trouble(10.0, 18.0, true)
    };
    assert_eq!(story(20.0).noticed(), ["P10"]);
    assert_eq!(story(21.5).noticed(), [""; 0]);
    let brief = quiet().recorded(14.0, 1, "heartbeat_timeout", Some(9.0));
    assert_eq!(brief.trouble(12.0, 13.0, true).noticed(), [""; 0]);
}

#[test]
fn p4_a_silence_that_nobody_noticed_is_noticed() {
    let mut story = eventful();
    story.history().drain(1..3);
    let history = story.history();
    history[1].seq = 2;
    history[1].previous = history[0].next.clone();
    story.evidence.delivered.clear();
    assert_eq!(story.noticed(), ["P4"]);
    assert_eq!(story.trouble(11.0, 12.0, false).noticed(), [""; 0]);
}

#[test]
fn p12_what_a_session_of_an_ended_token_still_does_is_noticed() {
    let mut story = eventful();
    let (asked, recorded) = (at(12.0), at(12.1));
    let rotation = Rotation { satellite: ID.to_owned(), token: 0, asked, recorded };
    story.evidence.rotations.push(rotation);
    assert_eq!(story.noticed(), ["P12"; 3]);
    story.evidence.accounts[0].attempts[0].token = 1;
    assert_eq!(story.noticed(), [""; 0]);
}
