//! Every fault of recurring work is caught by the case that is about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{Clock, Job, JobName, QueueResult, RecurringWork, Run, Turn};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_memory::ManualClock;
use parking_lot::Mutex;

use crate::named::{Named, check};

/// One way to be wrong; each is a mistake that somebody could make in an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// None: the adapter itself is right.
    Nothing,
    /// A new job is due only after its first interval.
    WaitsFirst,
    /// The interval counts from the end of a run.
    CountsFromTheEnd,
    /// Turns that a slow run took are made up for.
    CatchesUp,
    /// Leases and intervals are taken as seconds.
    TakesSeconds,
    /// All jobs are one.
    OneForAll,
    /// Only the interval keeps others away, no lease.
    NoLease,
    /// Reads, and writes later without looking again.
    ReadsThenWrites,
    /// Members stamp with clocks of their own.
    OwnClocks,
    /// A renewal is answered and not made.
    RenewsNothing,
    /// A lease never lapses.
    NeverLapses,
    /// A run that was redelivered has no lease.
    RedeliversToAll,
    /// Whoever once had the run renews it.
    AnybodyRenews,
    /// Whoever once had the run finishes it.
    AnybodyFinishes,
    /// A lease that lapsed is lost at once.
    LapsedIsLost,
    /// A run can be finished twice.
    FinishesTwice,
    /// Held in memory.
    ForgetsInCrash,
    /// Says to wait for nothing.
    SaysNow,
}

/// Recurring work as a member sees it, wrong in one way.
#[derive(Clone)]
struct Faulty {
    fault: Fault,
    clock: ManualClock,
    /// How far this member's clock is off, where that counts.
    off: Millis,
    jobs: Arc<Mutex<BTreeMap<&'static str, Entry>>>,
}

#[derive(Clone, Copy)]
struct Entry {
    token: u64,
    claimed_at: Timestamp,
    held: bool,
    redelivered: bool,
    free_at: Timestamp,
}

impl Faulty {
    fn now(&self) -> Timestamp {
        match self.fault {
            Fault::OwnClocks => self.clock.now() + self.off,
            _ => self.clock.now(),
        }
    }

    fn key(&self, name: JobName) -> &'static str {
        if self.fault == Fault::OneForAll { "all" } else { name.as_str() }
    }

    fn span(&self, span: Millis) -> Millis {
        if self.fault == Fault::TakesSeconds { span.times(1_000) } else { span }
    }

    /// Whether the job is free; how long until it is.
    fn wait(&self, last: Option<Entry>, every: Millis) -> Millis {
        let now = self.now();
        let Some(last) = last else {
            return if self.fault == Fault::WaitsFirst { every } else { Millis::ZERO };
        };
        match self.fault {
            Fault::NoLease if last.held => (last.claimed_at + every).since(now),
            Fault::RedeliversToAll if last.held && last.redelivered => Millis::ZERO,
            Fault::NeverLapses if last.held => Millis::from_secs(3_600),
            _ => last.free_at.since(now),
        }
    }

    fn change(&self, run: &Run, unfenced: bool, change: impl FnOnce(&mut Entry)) -> bool {
        let now = self.now();
        let mut jobs = self.jobs.lock();
        let Some(entry) = jobs.get_mut(self.key(run.job.name)) else { return false };
        let lapsed = self.fault == Fault::LapsedIsLost && entry.free_at < now;
        let held = entry.held || self.fault == Fault::FinishesTwice;
        if !held || lapsed || (entry.token != run.token && !unfenced) {
            return false;
        }
        change(entry);
        true
    }
}

#[async_trait]
impl RecurringWork for Faulty {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        let key = self.key(job.name);
        let last = self.jobs.lock().get(key).copied();
        if self.fault == Fault::ReadsThenWrites {
            tokio::task::yield_now().await;
        }
        let mut jobs = self.jobs.lock();
        let last = if self.fault == Fault::ReadsThenWrites { last } else { jobs.get(key).copied() };
        let wait = self.wait(last, job.every);
        if wait > Millis::ZERO {
            let told = if self.fault == Fault::SaysNow { Millis::ZERO } else { wait };
            return Ok(Turn::NotBefore(told));
        }
        let now = self.now();
        let due = last.filter(|last| self.fault == Fault::CatchesUp && !last.held);
        let entry = Entry {
            token: last.map_or(0, |last| last.token + 1),
            claimed_at: due.map_or(now, |last| last.free_at),
            held: true,
            redelivered: last.is_some_and(|last| last.held),
            free_at: now + self.span(lease),
        };
        jobs.insert(key, entry);
        Ok(Turn::Yours(Run { job, token: entry.token }))
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        if self.fault == Fault::RenewsNothing {
            return Ok(true);
        }
        let free_at = self.now() + self.span(lease);
        let unfenced = self.fault == Fault::AnybodyRenews;
        Ok(self.change(run, unfenced, |entry| entry.free_at = free_at))
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        let (now, every) = (self.now(), self.span(run.job.every));
        let unfenced = self.fault == Fault::AnybodyFinishes;
        Ok(self.change(&run, unfenced, |entry| {
            entry.held = false;
            entry.free_at = match self.fault {
                Fault::CountsFromTheEnd => now + every,
                _ => entry.claimed_at + every,
            };
        }))
    }
}

async fn report(fault: Fault) -> Report {
    conformance::recurring_work(|| async move {
        let clock = ManualClock::starting_at(Timestamp::from_millis(0));
        let jobs = Arc::default();
        let handle = |hours: u64| {
            let off = Millis::from_secs(hours * 3_600);
            Arc::new(Faulty { fault, clock: clock.clone(), off, jobs: Arc::clone(&jobs) })
        };
        let (first, moving) = (handle(0), clock.clone());
        let kept = Faulty::clone(&first);
        Fixture::from(first)
            .with_handle(handle(5))
            .with_handle(handle(2))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
            .passing_time_by(move |span| {
                moving.advance(span);
                tokio::time::sleep(span.into())
            })
            .reopened_by(move || {
                let mut kept = kept.clone();
                if fault == Fault::ForgetsInCrash {
                    kept.jobs = Arc::default();
                }
                let work: Arc<dyn RecurringWork> = Arc::new(kept);
                async { work }
            })
    })
    .await
}

const NEW: (&str, &str) = ("due", "a_job_that_is_new_is_due_at_once");
const INTERVAL: (&str, &str) =
    ("due", "after_a_run_the_job_is_due_its_interval_after_the_claim_for_every_member");
const SLOW_RUN: (&str, &str) =
    ("due", "a_run_that_took_longer_than_the_interval_is_followed_by_one_run_at_once");
const TWO_JOBS: (&str, &str) = ("due", "jobs_do_not_wait_for_one_another");
const HELD: (&str, &str) = ("one at a time", "while_a_lease_lasts_nobody_else_is_given_the_job");
const AT_ONCE: (&str, &str) = ("one at a time", "of_many_that_claim_at_once_one_is_given_the_run");
const COMPETING: (&str, &str) =
    ("one at a time", "members_that_compete_for_every_run_never_work_at_the_same_time");
const RENEWED: (&str, &str) = ("one at a time", "a_renewed_lease_outlasts_the_first");
const DIED: (&str, &str) =
    ("redelivered", "a_run_whose_member_died_is_given_to_another_when_its_lease_lapses");
const REDELIVERED: (&str, &str) =
    ("redelivered", "a_run_that_was_redelivered_is_held_like_any_other");
const LOST: (&str, &str) = ("fenced", "who_lost_a_run_can_neither_renew_nor_finish_it");
const LAPSED: (&str, &str) =
    ("fenced", "a_lease_that_lapsed_and_that_nobody_took_can_be_renewed_and_finished");
const FINISHED: (&str, &str) =
    ("fenced", "a_finished_run_can_neither_be_renewed_nor_finished_again");
const LEASE_IN_CRASH: (&str, &str) = ("durable", "a_lease_outlives_a_crash_and_lapses_then_too");
const INTERVAL_IN_CRASH: (&str, &str) =
    ("durable", "what_was_finished_before_a_crash_is_not_due_before_its_time");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (
        Fault::WaitsFirst,
        &[
            NEW,
            INTERVAL,
            SLOW_RUN,
            TWO_JOBS,
            HELD,
            AT_ONCE,
            COMPETING,
            RENEWED,
            DIED,
            REDELIVERED,
            LOST,
            LAPSED,
            FINISHED,
            LEASE_IN_CRASH,
            INTERVAL_IN_CRASH,
        ],
    ),
    (Fault::CountsFromTheEnd, &[INTERVAL, SLOW_RUN, RENEWED]),
    (Fault::CatchesUp, &[SLOW_RUN]),
    (
        Fault::TakesSeconds,
        &[
            INTERVAL,
            SLOW_RUN,
            HELD,
            RENEWED,
            DIED,
            REDELIVERED,
            LOST,
            LEASE_IN_CRASH,
            INTERVAL_IN_CRASH,
        ],
    ),
    (Fault::OneForAll, &[NEW, INTERVAL, TWO_JOBS, LEASE_IN_CRASH, INTERVAL_IN_CRASH]),
    (Fault::NoLease, &[HELD, COMPETING, RENEWED, DIED, REDELIVERED, LOST, LEASE_IN_CRASH]),
    (Fault::ReadsThenWrites, &[AT_ONCE, COMPETING]),
    (
        Fault::OwnClocks,
        &[INTERVAL, SLOW_RUN, TWO_JOBS, HELD, AT_ONCE, COMPETING, RENEWED, LAPSED, FINISHED],
    ),
    (Fault::RenewsNothing, &[RENEWED, LOST, FINISHED]),
    (Fault::NeverLapses, &[DIED, REDELIVERED, LOST, LEASE_IN_CRASH]),
    (Fault::RedeliversToAll, &[DIED, REDELIVERED, LOST]),
    (Fault::AnybodyRenews, &[LOST]),
    (Fault::AnybodyFinishes, &[LOST]),
    (Fault::LapsedIsLost, &[LAPSED]),
    (Fault::FinishesTwice, &[FINISHED]),
    (Fault::ForgetsInCrash, &[LEASE_IN_CRASH, INTERVAL_IN_CRASH]),
    (
        Fault::SaysNow,
        &[
            INTERVAL,
            SLOW_RUN,
            TWO_JOBS,
            HELD,
            RENEWED,
            DIED,
            REDELIVERED,
            LOST,
            LAPSED,
            FINISHED,
            LEASE_IN_CRASH,
            INTERVAL_IN_CRASH,
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn every_fault_of_recurring_work_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
