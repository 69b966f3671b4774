//! What must hold of deliveries: every transition once, in order, to everybody (E3).

use std::collections::BTreeMap;

use super::super::record::{Delivered, Transition};
use super::{Evidence, Verdict};

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    for (listener, delivered) in evidence.delivered.iter().enumerate() {
        verdict.deliveries += delivered.len();
        let mut told: BTreeMap<&str, Vec<&Delivered>> = BTreeMap::new();
        for event in delivered {
            told.entry(&event.satellite).or_default().push(event);
        }
        for (satellite, history) in &evidence.histories {
            let told = told.remove(satellite.as_str()).unwrap_or_default();
            if let Some(what) = differs(history, &told) {
                verdict.forbid("E3", satellite, format!("listener {listener} {what}"));
            }
        }
    }
}

/// How what was told differs from what is recorded.
fn differs(history: &[Transition], told: &[&Delivered]) -> Option<String> {
    for (at, event) in told.iter().enumerate() {
        let due = at as u64 + 1;
        if event.seq < due {
            return Some(format!("was told {} twice, or late", event.seq));
        }
        if event.seq > due {
            return Some(format!("was told {} where {due} was due", event.seq));
        }
        let Some(recorded) = history.get(at) else {
            return Some(format!("was told {event:?}, which is not recorded"));
        };
        let same = event.kind.strip_prefix("satellite.") == Some(recorded.event.as_str())
            && (event.epoch, &event.cause, event.at)
                == (recorded.epoch, &recorded.cause, recorded.at);
        if !same {
            return Some(format!("was told {event:?} of {recorded:?}"));
        }
    }
    let missing = history.get(told.len())?;
    Some(format!("was never told {missing:?}"))
}
