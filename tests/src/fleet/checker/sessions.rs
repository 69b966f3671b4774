//! What must hold between the connections that an agent knows and the sessions that are recorded.

use super::super::account::{Answer, Attempt, End, Moment};
use super::super::record::Transition;
use super::super::troubles::{AFTERMATH, sound};
use super::{Case, TOLERANCE, Verdict};

/// Finds for each session the attempt that opened it.
///
/// Whoever was accepted is on record, at that time by the clock that counts (E3, P11); and every
/// recorded session is that of an attempt, no two of the same (P1).
pub(super) fn open(case: &mut Case<'_>, verdict: &mut Verdict) {
    let satellite = &case.account.satellite;
    let mut openings: Vec<&Transition> = case.history.iter().filter(|t| t.opens()).collect();
    for attempt in &case.account.attempts {
        let Some(accepted) = attempt.accepted() else { continue };
        verdict.sessions += 1;
        // An earlier attempt that ended without an answer may have been made just before it.
        let best = (0..openings.len())
            .filter(|at| by(attempt, openings[*at]))
            .map(|at| (distance(attempt.presented, accepted, openings[at].at), at))
            .filter(|(distance, _)| *distance <= CLOCKS)
            .min_by_key(|(distance, at)| (*distance, openings.len() - at));
        match best {
            Some((_, at)) => {
                let opening = openings.remove(at);
                case.openers.insert(opening.epoch, attempt);
            }
            None => {
                let what = format!("accepted in {}..={accepted}, not recorded", attempt.presented);
                verdict.forbid("E3", satellite, what);
            }
        }
    }
    let unknown = |attempt: &&Attempt| attempt.answer == Answer::Unknown;
    let mut unanswered: Vec<&Attempt> = case.account.attempts.iter().filter(unknown).collect();
    for opening in openings {
        // The last one that began before it, by the clocks as they are.
        let made = (0..unanswered.len())
            .filter(|at| by(unanswered[*at], opening))
            .map(|at| (distance(unanswered[at].presented, Moment::MAX, opening.at), at))
            .filter(|(distance, _)| *distance <= CLOCKS)
            .min_by_key(|(distance, at)| (*distance, unanswered.len() - at));
        match made {
            Some((_, found)) => {
                case.openers.insert(opening.epoch, unanswered.remove(found));
            }
            None => verdict.forbid("P1", satellite, format!("nobody made {opening:?}")),
        }
    }
}

/// How far the clock of a pod that was measured on a busy machine may be off.
const CLOCKS: i64 = 1_500;

/// Whether the pod at the attempt's place recorded it.
fn by(attempt: &Attempt, opening: &Transition) -> bool {
    let place = opening.pod.strip_prefix("pod-").and_then(|name| name.split('-').next());
    place.and_then(|place| place.parse().ok()) == Some(attempt.pod)
}

/// How far a moment lies outside of a span.
fn distance(from: Moment, to: Moment, moment: Moment) -> i64 {
    (from - moment).max(moment - to).max(0)
}

/// How sessions ended on record, against how the agent saw them end (T4).
pub(super) fn check_ends(case: &Case<'_>, verdict: &mut Verdict) {
    let satellite = &case.account.satellite;
    let last = case.history.last().map_or(0, |last| last.epoch);
    for (epoch, attempt) in &case.openers {
        let recorded = case.history.iter().find(|t| t.epoch == *epoch && t.is("disconnected"));
        if let Some(what) = recorded.and_then(|recorded| contradicts(case, attempt, recorded)) {
            verdict.forbid("T4", satellite, format!("epoch {epoch} {what}"));
        }
        let superseded = *epoch < last;
        if recorded.is_none() && !superseded && left_soundly(case, attempt) {
            let what = format!("epoch {epoch} was closed politely, which is not recorded");
            verdict.forbid("T4", satellite, what);
        }
    }
}

fn contradicts(case: &Case<'_>, attempt: &Attempt, recorded: &Transition) -> Option<String> {
    let ended = attempt.ended.map(|(_, end)| end);
    let believable = match recorded.cause.as_deref() {
        Some("client_closed") => {
            attempt.closing.is_some_and(|closing| closing <= recorded.at + TOLERANCE)
        }
        // A pod that stops, a newer session and a revoked one are told and not recorded like this.
        Some("connection_lost") => match ended {
            Some(End::Closed(_)) | None => false,
            Some(End::Left | End::Dropped | End::Broken) => true,
        },
        Some("revoked") => case.evidence.rotations.iter().any(|rotation| {
            rotation.satellite == case.account.satellite
                && rotation.token >= attempt.token
                && (rotation.asked - TOLERANCE..=rotation.recorded + TOLERANCE)
                    .contains(&recorded.at)
        }),
        _ => false,
    };
    (!believable).then(|| {
        let Attempt { pod, presented, answer, ended, .. } = attempt;
        format!(
            "through pod {pod}, presented at {presented}, {answer:?}, ended as {ended:?} and is \
             recorded as {:?} at {}",
            recorded.cause, recorded.at
        )
    })
}

/// Whether the agent closed politely while nothing was wrong, long enough ago.
fn left_soundly(case: &Case<'_>, attempt: &Attempt) -> bool {
    attempt.closing.is_some_and(|closing| {
        let enough = closing + AFTERMATH;
        super::super::account::now() > enough
            && sound(&case.evidence.troubles, attempt.pod, closing - AFTERMATH, enough)
    })
}
