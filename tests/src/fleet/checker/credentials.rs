//! What must hold of tokens that ended: no session of one changes anything any more (P12).

use super::{Case, TOLERANCE, Verdict};

pub(super) fn check(case: &Case<'_>, verdict: &mut Verdict) {
    let satellite = &case.account.satellite;
    let own = case.evidence.rotations.iter().filter(|rotation| rotation.satellite == *satellite);
    for rotation in own {
        for transition in case.history.iter().filter(|t| t.at > rotation.recorded + TOLERANCE) {
            let opener = case.openers.get(&transition.epoch);
            if opener.is_some_and(|opener| opener.token <= rotation.token) {
                let what =
                    format!("{transition:?} though its token ended at {}", rotation.recorded);
                verdict.forbid("P12", satellite, what);
            }
        }
    }
}
