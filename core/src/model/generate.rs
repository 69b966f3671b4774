//! Lists of operations for proptest. Earlier alternatives are the simpler ones, so that a
//! failing list shrinks to few and plain operations.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::{prop_oneof, sample};

use super::{LEASE, Operation, SETTLE, THRESHOLD};
use crate::connection::CloseReason;
use crate::time::Millis;

/// Lists of up to `most` operations.
pub fn operations_within(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operations(), 0..=most)
}

/// Any operation.
pub fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => heartbeat(),
        3 => Just(Operation::Sweep),
        6 => pass(),
        3 => Just(Operation::CONNECT),
        2 => connect(),
        2 => (0..6u8).prop_map(|which| Operation::Again { which }),
        2 => close(),
        1 => Just(Operation::ReplaceToken),
        1 => Just(Operation::AddToken),
        1 => (0..3u8).prop_map(|token| Operation::EndToken { token }),
        1 => (THRESHOLD.get() / 2..THRESHOLD.get() * 3)
            .prop_map(|millis| Operation::SetThreshold(Millis::new(millis))),
        // Seldom: little can happen afterwards.
        1 => prop_oneof![
            9 => Just(Operation::HEARTBEAT),
            1 => Just(Operation::Remove),
        ],
    ]
}

fn connect() -> impl Strategy<Value = Operation> {
    (0..3u8, 0..3u8, 0..3u8).prop_map(|(epochs_ago, versions_ago, token)| Operation::Connect {
        epochs_ago,
        versions_ago,
        token,
    })
}

fn heartbeat() -> impl Strategy<Value = Operation> {
    let ago = prop_oneof![
        4 => Just(0),
        2 => 0..=SETTLE.get(),
        1 => 0..THRESHOLD.get() * 2,
        1 => Just(THRESHOLD.get()),
        1 => Just(THRESHOLD.get() + 1),
    ];
    (prop_oneof![6 => Just(0), 1 => 0..3u8], ago).prop_map(|(sessions_ago, ago)| {
        Operation::Heartbeat { sessions_ago, ago: Millis::new(ago) }
    })
}

fn close() -> impl Strategy<Value = Operation> {
    (prop_oneof![4 => Just(0), 1 => 0..3u8], sample::select(CloseReason::ALL))
        .prop_map(|(sessions_ago, reason)| Operation::Close { sessions_ago, reason })
}

/// Spans around those that matter.
fn pass() -> impl Strategy<Value = Operation> {
    let span = prop_oneof![
        2 => 0..=SETTLE.get(),
        2 => 0..=LEASE.get() + 1,
        2 => Just(THRESHOLD.get()),
        3 => Just(THRESHOLD.get() + SETTLE.get() + 1),
        1 => 0..THRESHOLD.get() * 3,
    ];
    let watched = prop_oneof![5 => Just(true), 1 => any::<bool>()];
    (span, watched).prop_map(|(span, watched)| Operation::Pass { span: Millis::new(span), watched })
}
