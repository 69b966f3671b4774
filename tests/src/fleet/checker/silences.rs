//! What must hold of losses: none of whoever was heard (P9, P10), one of whoever was not (P4).

use super::super::account::{Attempt, Moment};
use super::super::record::Transition;
use super::super::troubles::sound;
use super::{Case, Evidence, TOLERANCE, Verdict};

/// How long the notice of a silence may take where nothing is wrong: settle, and a machine that
/// is busy.
const NOTICE: i64 = 2_500;
/// A watch lease lasts one heartbeat interval; what was under way when everything went away may
/// still be recorded for this much longer.
const UNDER_WAY: i64 = 500;

pub(super) fn check(case: &Case<'_>, verdict: &mut Verdict) {
    for loss in case.history.iter().filter(|t| t.is("heartbeat_lost")) {
        verdict.losses += 1;
        blind(case, loss, verdict);
        let Some(attempt) = case.openers.get(&loss.epoch) else { continue };
        heard(case, attempt, loss, verdict);
    }
    for (epoch, attempt) in &case.openers {
        for (from, to) in gaps(attempt) {
            unnoticed(case, *epoch, attempt, from, to, verdict);
        }
    }
}

/// P10: a threshold after nobody could store anything, nobody is lost.
fn blind(case: &Case<'_>, loss: &Transition, verdict: &mut Verdict) {
    let evidence = case.evidence;
    for (from, until) in blind_spans(evidence) {
        let forbidden = from + evidence.heartbeat + UNDER_WAY..until + evidence.threshold;
        if forbidden.contains(&(loss.at + TOLERANCE)) && forbidden.contains(&loss.at) {
            let what = format!("lost at {}, while blind in {from}..{until}", loss.at);
            verdict.forbid("P10", &case.account.satellite, what);
        }
    }
}

/// The spans, longer than a lease, in which nobody could store anything.
pub(super) fn blind_spans(evidence: &Evidence) -> impl Iterator<Item = (Moment, Moment)> {
    let spans = evidence.troubles.iter().filter_map(|trouble| trouble.deaf);
    spans.filter(|(from, until)| until - from > evidence.heartbeat + UNDER_WAY)
}

/// P9: whoever beat steadily, through a pod with which nothing was wrong, is not lost.
fn heard(case: &Case<'_>, attempt: &Attempt, loss: &Transition, verdict: &mut Verdict) {
    let evidence = case.evidence;
    let from = loss.at - evidence.threshold - NOTICE;
    if !sound(&evidence.troubles, attempt.pod, from, loss.at) {
        return;
    }
    verdict.sound_losses += 1;
    // The last sign of life that had time to be stored.
    let last = attempt.signs().filter(|sign| *sign < loss.at - NOTICE / 2).max();
    if last.is_some_and(|last| loss.at - last <= evidence.threshold - TOLERANCE) {
        let what = format!("lost at {}, and said something at {last:?}", loss.at);
        verdict.forbid("P9", &case.account.satellite, what);
    }
}

/// P4: a silence that was watched is noticed.
fn unnoticed(
    case: &Case<'_>,
    epoch: u64,
    attempt: &Attempt,
    from: Moment,
    to: Moment,
    verdict: &mut Verdict,
) {
    let evidence = case.evidence;
    let latest = from + evidence.threshold + NOTICE;
    let over = |t: &&Transition| t.epoch > epoch || t.epoch == epoch && t.is("disconnected");
    let ended = case.history.iter().find(over).is_some_and(|end| end.at <= latest);
    let watched = sound(&evidence.troubles, attempt.pod, from - evidence.threshold, latest);
    if to < latest || ended || !watched {
        return;
    }
    verdict.silences += 1;
    let noticed = case.history.iter().any(|t| {
        let within = from + evidence.threshold - TOLERANCE..=latest + TOLERANCE;
        t.epoch == epoch && t.is("heartbeat_lost") && within.contains(&t.at)
    });
    if !noticed {
        let what = format!("silent on epoch {epoch} from {from} to {to}, which nobody noticed");
        verdict.forbid("P4", &case.account.satellite, what);
    }
}

/// The spans in which the agent said nothing on a connection: from sign to sign, and from the
/// last to the end.
fn gaps(attempt: &Attempt) -> Vec<(Moment, Moment)> {
    let end = attempt.ended.map_or_else(super::super::account::now, |(at, _)| at);
    let end = attempt.closing.map_or(end, |closing| closing.min(end));
    let signs: Vec<_> = attempt.signs().chain([end]).collect();
    signs.windows(2).map(|pair| (pair[0], pair[1])).collect()
}
