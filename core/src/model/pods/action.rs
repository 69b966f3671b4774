//! What a schedule consists of.

use proptest::prelude::{Just, Strategy, any};
use proptest::{prop_oneof, sample};

use crate::connection::CloseReason;
use crate::model::{LEASE, Property, SETTLE, THRESHOLD};
use crate::time::Millis;

/// What happens next. Numbers pick one of what there is; where there is none, nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A task of any pod takes its next step: it reads, decides, or writes.
    Step(u8),
    /// The same, and the reply to the write is lost, so that the pod does not know.
    StepUnanswered(u8),
    /// The message behind a task arrives once more.
    Double(u8),
    /// A task is forgotten: its message is lost.
    Lose(u8),
    /// The satellite dials a pod with its newest token, or the oldest that is still valid.
    Dial {
        /// Which pod.
        pod: u8,
        /// Whether an agent with the oldest token dials.
        old_token: bool,
    },
    /// The satellite sends a heartbeat on one of its sockets.
    Beat(u8),
    /// A pod stores the heartbeats that wait.
    Flush(u8),
    /// One of the sockets ends.
    End {
        /// Which.
        socket: u8,
        /// How.
        reason: CloseReason,
    },
    /// A pod renews its watch lease.
    Renew(u8),
    /// A pod looks for silence.
    Sweep(u8),
    /// A pod crashes and restarts empty.
    Crash(u8),
    /// A pod ends its lease and closes its sockets because it stops, and starts anew.
    Drain(u8),
    /// A pod's wall clock is set: by so many hours.
    SetWallClock {
        /// Whose.
        pod: u8,
        /// By how much, back or forth.
        hours: i8,
    },
    /// An operator replaces the token at once.
    ReplaceToken(u8),
    /// An operator rotates the token with an overlap of this long.
    Overlap(u8, Millis),
    /// A pod ends tokens whose overlap is over.
    EndExpired(u8),
    /// An operator disables or enables the satellite.
    SetEnabled(u8, bool),
    /// An operator changes the threshold.
    SetThreshold(Millis),
    /// An operator removes the satellite.
    Remove(u8),
    /// Time passes.
    Pass(Millis),
    /// Time passes in which one pod does what it does all the time: renew, flush, sweep.
    Watch {
        /// Which pod.
        pod: u8,
        /// For how long.
        span: Millis,
    },
}

/// Any action; the more frequent ones are those that let others come to an end.
pub fn actions() -> impl Strategy<Value = Action> {
    let number = || 0..8_u8;
    prop_oneof![
        24 => number().prop_map(Action::Step),
        2 => number().prop_map(Action::StepUnanswered),
        2 => number().prop_map(Action::Double),
        1 => number().prop_map(Action::Lose),
        5 => (number(), prop_oneof![4 => Just(false), 1 => Just(true)])
            .prop_map(|(pod, old_token)| Action::Dial { pod, old_token }),
        6 => number().prop_map(Action::Beat),
        4 => number().prop_map(Action::Flush),
        2 => (number(), sample::select(CloseReason::ALL))
            .prop_map(|(socket, reason)| Action::End { socket, reason }),
        3 => number().prop_map(Action::Renew),
        4 => number().prop_map(Action::Sweep),
        1 => number().prop_map(Action::Crash),
        1 => number().prop_map(Action::Drain),
        1 => (number(), -12..12_i8).prop_map(|(pod, hours)| Action::SetWallClock { pod, hours }),
        1 => number().prop_map(Action::ReplaceToken),
        1 => (number(), 0..THRESHOLD.get())
            .prop_map(|(pod, millis)| Action::Overlap(pod, Millis::new(millis))),
        1 => number().prop_map(Action::EndExpired),
        1 => (number(), any::<bool>()).prop_map(|(pod, enabled)| Action::SetEnabled(pod, enabled)),
        1 => (LEASE.get() * 2..THRESHOLD.get() * 3)
            .prop_map(|millis| Action::SetThreshold(Millis::new(millis))),
        // Seldom: little can happen afterwards.
        1 => (number(), 0..6).prop_map(|(pod, chance)| match chance {
            0 => Action::Remove(pod),
            _ => Action::Beat(pod),
        }),
        6 => spans().prop_map(Action::Pass),
        6 => (number(), spans()).prop_map(|(pod, span)| Action::Watch { pod, span }),
    ]
}

/// Actions of which every second is one that `property` is about.
pub fn actions_about(property: Property) -> impl Strategy<Value = Action> {
    let number = || 0..8_u8;
    let dial = move || number().prop_map(|pod| Action::Dial { pod, old_token: false });
    let watch = move || (number(), spans()).prop_map(|(pod, span)| Action::Watch { pod, span });
    let step = move || number().prop_map(Action::Step);
    let about = match property {
        Property::P1 | Property::P7 | Property::P8 => prop_oneof![
            number().prop_map(Action::StepUnanswered),
            number().prop_map(Action::Double),
            number().prop_map(Action::Crash),
            dial(),
        ]
        .boxed(),
        Property::R1 | Property::R2 | Property::P2 | Property::P5 | Property::P6 => prop_oneof![
            dial(),
            number().prop_map(Action::Beat),
            number().prop_map(Action::Flush),
            (number(), Just(CloseReason::ConnectionLost))
                .prop_map(|(socket, reason)| Action::End { socket, reason }),
        ]
        .boxed(),
        Property::S1 | Property::P3 | Property::P4 | Property::Table => {
            prop_oneof![watch(), step(), number().prop_map(Action::Beat)].boxed()
        }
        Property::P9 | Property::P10 => prop_oneof![
            number().prop_map(Action::Crash),
            spans().prop_map(Action::Pass),
            watch(),
            number().prop_map(Action::Beat),
            step(),
        ]
        .boxed(),
        Property::P11 => prop_oneof![
            (number(), -12..12_i8).prop_map(|(pod, hours)| Action::SetWallClock { pod, hours }),
            watch(),
        ]
        .boxed(),
        Property::P12 => prop_oneof![
            number().prop_map(Action::ReplaceToken),
            (number(), 0..SETTLE.get())
                .prop_map(|(pod, millis)| Action::Overlap(pod, Millis::new(millis))),
            number().prop_map(Action::EndExpired),
            number().prop_map(|pod| Action::Dial { pod, old_token: true }),
            step(),
        ]
        .boxed(),
    };
    prop_oneof![actions(), about]
}

/// Spans around those that matter.
fn spans() -> impl Strategy<Value = Millis> {
    prop_oneof![
        3 => 0..=SETTLE.get(),
        3 => 0..=LEASE.get() + 1,
        1 => Just(THRESHOLD.get()),
        2 => Just(THRESHOLD.get() + SETTLE.get() + LEASE.get()),
        1 => 0..THRESHOLD.get() * 3,
    ]
    .prop_map(Millis::new)
}
