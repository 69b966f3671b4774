//! Every fault of a clock is caught by the cases that are about it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::thread::{self, ThreadId};

use groundcontrol_core::conformance::{self, Report};
use groundcontrol_core::ports::Clock;
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

use crate::named::{Named, check};

/// Ways in which a clock can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the clock is right.
    Nothing,
    /// It is set back now and then, as a wall clock is.
    IsSetBack,
    /// Every thread measures for itself.
    EachThreadForItself,
    /// It may be wrong by a second.
    IsFarOff,
}

const BACKWARDS: (&str, &str) = ("P11", "it_never_runs_backwards");
const THREADS: (&str, &str) = ("P11", "threads_agree_on_what_is_past");
const ERROR: (&str, &str) = ("P11", "its_error_leaves_settle_under_half_a_second");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::IsSetBack, &[BACKWARDS, THREADS]),
    (Fault::EachThreadForItself, &[THREADS]),
    (Fault::IsFarOff, &[ERROR]),
];

/// Ticks with every look.
struct Faulty {
    fault: Fault,
    ticks: Mutex<(i64, HashMap<ThreadId, i64>)>,
}

/// More ticks than any case takes.
const LATE: i64 = 1_000_000;

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        let mut ticks = self.ticks.lock();
        let (tick, threads) = &mut *ticks;
        *tick += 1;
        let earlier = threads.len() as i64;
        let behind = *threads.entry(thread::current().id()).or_insert(earlier) * LATE;
        Timestamp::from_millis(match self.fault {
            Fault::IsSetBack if *tick % 5_000 == 0 => 0,
            Fault::EachThreadForItself => *tick - behind,
            _ => *tick,
        })
    }

    fn error(&self) -> Millis {
        match self.fault {
            Fault::IsFarOff => Millis::from_secs(1),
            _ => Millis::ZERO,
        }
    }
}

async fn report(fault: Fault) -> Report {
    conformance::clock(|| async move { Arc::new(Faulty { fault, ticks: Mutex::default() }) }).await
}

#[tokio::test]
async fn every_fault_of_a_clock_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
