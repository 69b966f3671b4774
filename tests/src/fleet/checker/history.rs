//! What must hold of one satellite's transitions alone: P5, P6, P8, and R2 and T5 beside them.

use serde_json::Value;

use super::super::record::Transition;
use super::{TOLERANCE, Verdict};

pub(super) fn check(
    satellite: &str,
    history: &[Transition],
    threshold: i64,
    verdict: &mut Verdict,
) {
    verdict.transitions += history.len();
    let mut before: Option<&Transition> = None;
    for (transition, seq) in history.iter().zip(1..) {
        if transition.seq != seq {
            let what = format!("seq {} where {seq} was due", transition.seq);
            verdict.forbid("P8", satellite, what);
        }
        if let Err(what) = follows(before, transition) {
            verdict.forbid("P5", satellite, format!("{what}: {transition:?} after {before:?}"));
        }
        if let Some(field) = breaks(before, transition) {
            let what = format!("seq {seq} begins with another {field} than the one before left");
            verdict.forbid("P6", satellite, what);
        }
        states(satellite, transition, threshold, verdict);
        before = Some(transition);
    }
}

/// Whether the grammar of an epoch allows `next` after `before`.
fn follows(before: Option<&Transition>, next: &Transition) -> Result<(), &'static str> {
    let epoch = before.map_or(0, |before| before.epoch);
    let connected = before.is_some_and(|before| before.is("connected"));
    let lost = before.is_some_and(|before| before.is("heartbeat_lost"));
    if before.is_some_and(|before| before.is("removed")) {
        return Err("something follows a removal");
    }
    let same = next.epoch == epoch;
    let allowed = match (next.event.as_str(), next.cause.as_deref()) {
        ("connected", Some("authenticated")) => next.epoch == epoch + 1 && !connected,
        ("connected", Some("took_over")) => next.epoch == epoch + 1 && connected,
        ("connected", Some("heartbeat_resumed")) => same && lost,
        ("heartbeat_lost", Some("heartbeat_timeout")) => same && connected,
        ("disconnected", Some(_)) => same && (connected || lost),
        ("removed", None) => true,
        _ => false,
    };
    if allowed { Ok(()) } else { Err("it does not follow") }
}

/// The field of the state that changed in between, though no transition says so.
fn breaks(before: Option<&Transition>, next: &Transition) -> Option<&'static str> {
    let Some(before) = before else {
        return (next.previous != Value::Null).then_some("state");
    };
    let fields = ["lastEvent", "lastEventAt", "cause", "seq", "epoch"];
    fields.into_iter().find(|field| before.next[field] != next.previous[field])
}

/// R2, and T5's least: a loss comes after a whole threshold of silence.
fn states(satellite: &str, transition: &Transition, threshold: i64, verdict: &mut Verdict) {
    if transition.is("removed") {
        return;
    }
    let seen = transition.last_seen();
    if seen.is_none() != transition.is("disconnected") {
        let what = format!("{} leaves {seen:?} as the last heartbeat", transition.event);
        verdict.forbid("R2", satellite, what);
    }
    let online = transition.next["status"] == "online";
    if online != transition.is("connected") {
        verdict.forbid("S1", satellite, format!("{} while online: {online}", transition.event));
    }
    if transition.is("heartbeat_lost") && seen.is_some_and(|seen| transition.at - seen <= threshold)
    {
        let what = format!("lost {:?} ms after a heartbeat", seen.map(|seen| transition.at - seen));
        verdict.forbid("T5", satellite, what);
    }
    if transition.at > super::super::account::now() + TOLERANCE {
        verdict.forbid("P11", satellite, format!("recorded in the future: {transition:?}"));
    }
}
