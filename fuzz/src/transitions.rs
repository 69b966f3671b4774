//! Operations on one satellite's connection, against the oracle and all properties.

use arbitrary::{Arbitrary, Result, Unstructured};
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::model::{LEASE, Operation, SETTLE, THRESHOLD, Trial};
use groundcontrol_core::time::Millis;

/// Operations of one run; what comes after says nothing new.
const MOST: usize = 64;

/// No sequence of operations makes `decide` differ from the oracle or break a property.
pub fn transitions(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let mut trial = Trial::new();
    for _ in 0..MOST {
        let Ok(next) = operation(&mut bytes) else { return };
        if let Err(fault) = trial.perform(next) {
            panic!("{next:?}: {fault}");
        }
        if bytes.is_empty() {
            return;
        }
    }
}

fn operation(bytes: &mut Unstructured<'_>) -> Result<Operation> {
    Ok(match bytes.int_in_range(0..=11_u8)? {
        0 => Operation::CONNECT,
        1 => Operation::Connect {
            epochs_ago: bytes.int_in_range(0..=2)?,
            versions_ago: bytes.int_in_range(0..=2)?,
            token: bytes.int_in_range(0..=2)?,
        },
        2 => Operation::Again { which: bytes.int_in_range(0..=5)? },
        3 => Operation::Heartbeat { sessions_ago: bytes.int_in_range(0..=2)?, ago: span(bytes)? },
        4 => Operation::HEARTBEAT,
        5 => Operation::Close {
            sessions_ago: bytes.int_in_range(0..=2)?,
            reason: *bytes.choose(CloseReason::ALL)?,
        },
        6 => Operation::ReplaceToken,
        7 => Operation::AddToken,
        8 => Operation::EndToken { token: bytes.int_in_range(0..=2)? },
        9 => match bytes.int_in_range(0..=15_u8)? {
            0 => Operation::Remove,
            _ => Operation::SetThreshold(Millis::new(bytes.int_in_range(50..=300)?)),
        },
        10 => Operation::Sweep,
        _ => Operation::Pass { span: span(bytes)?, watched: !bool::arbitrary(bytes)? },
    })
}

/// Spans around those that matter.
fn span(bytes: &mut Unstructured<'_>) -> Result<Millis> {
    let marks = [Millis::ZERO, SETTLE, LEASE, THRESHOLD, THRESHOLD + SETTLE];
    let mark = *bytes.choose(&marks)?;
    Ok(mark + Millis::new(bytes.int_in_range(0..=2)?))
}
