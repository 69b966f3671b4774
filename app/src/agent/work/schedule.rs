//! When each check runs. No clock, no I/O: times are spans since the agent began.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The largest share of an interval by which a first run is put off.
const SPREAD_DIVISOR: u32 = 10;
/// The longest time by which a first run is put off.
const MAX_SPREAD: Duration = Duration::from_secs(5);

/// Checks, each at its own rhythm: a first run soon, then one per interval, counted from the
/// first whatever happens later; never two of one check at the same time.
#[derive(Debug)]
pub(crate) struct Schedule<K, J> {
    jobs: BTreeMap<K, Slot<J>>,
    /// When those run next that are not running.
    queue: BTreeSet<(Duration, K)>,
    running: usize,
    limit: usize,
    latest: Generation,
}

/// Tells a job from the one that it replaced.
pub(crate) type Generation = u64;

#[derive(Debug)]
struct Slot<J> {
    job: J,
    interval: Duration,
    next: Duration,
    generation: Generation,
    running: bool,
}

/// A run to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start<K, J> {
    pub(crate) key: K,
    pub(crate) generation: Generation,
    pub(crate) job: J,
}

impl<K: Clone + Ord, J: Clone + PartialEq> Schedule<K, J> {
    /// No checks yet; at most `limit` will run at the same time.
    pub(crate) fn new(limit: usize) -> Self {
        let (jobs, queue) = (BTreeMap::new(), BTreeSet::new());
        Self { jobs, queue, running: 0, limit: limit.max(1), latest: 0 }
    }

    /// Makes `wanted` what is run from `now` on. What is wanted as before keeps its rhythm and its
    /// run; what is new or different begins anew, soon: `random`, in 0 … 1, spreads the first
    /// runs. The runs that are told are those to give up: their jobs are gone or different.
    pub(crate) fn replace(
        &mut self,
        now: Duration,
        wanted: BTreeMap<K, (Duration, J)>,
        mut random: impl FnMut() -> f64,
    ) -> Vec<Generation> {
        let mut given_up = Vec::new();
        let gone: Vec<K> = self
            .jobs
            .iter()
            .filter(|(key, slot)| !wanted.get(key).is_some_and(|wanted| slot.is(wanted)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            given_up.extend(self.remove(&key));
        }
        for (key, (interval, job)) in wanted {
            if !self.jobs.contains_key(&key) {
                let next = now + spread(interval, random());
                self.latest += 1;
                self.queue.insert((next, key.clone()));
                let slot = Slot { job, interval, next, generation: self.latest, running: false };
                self.jobs.insert(key, slot);
            }
        }
        given_up
    }

    /// The runs that are due, as many as may run at the same time, those that waited longest
    /// first.
    pub(crate) fn start_due(&mut self, now: Duration) -> Vec<Start<K, J>> {
        let mut starts = Vec::new();
        while self.running < self.limit {
            let Some((next, _)) = self.queue.first() else { break };
            if *next > now {
                break;
            }
            let Some((_, key)) = self.queue.pop_first() else { break };
            let Some(slot) = self.jobs.get_mut(&key) else { continue };
            slot.running = true;
            slot.next = after(slot.next, slot.interval, now);
            self.running += 1;
            let (generation, job) = (slot.generation, slot.job.clone());
            starts.push(Start { key, generation, job });
        }
        starts
    }

    /// A run is over. One that was given up changes nothing.
    pub(crate) fn finished(&mut self, key: &K, generation: Generation, now: Duration) {
        let Some(slot) = self.jobs.get_mut(key) else { return };
        if slot.generation != generation || !slot.running {
            return;
        }
        slot.running = false;
        self.running -= 1;
        if slot.next < now {
            slot.next = after(slot.next, slot.interval, now);
        }
        self.queue.insert((slot.next, key.clone()));
    }

    /// When the next run is due; none while as many run as may.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        let (next, _) = self.queue.first()?;
        (self.running < self.limit).then_some(*next)
    }

    /// Removes a job, and tells its run if it has one.
    fn remove(&mut self, key: &K) -> Option<Generation> {
        let slot = self.jobs.remove(key)?;
        if slot.running {
            self.running -= 1;
            return Some(slot.generation);
        }
        self.queue.remove(&(slot.next, key.clone()));
        None
    }
}

impl<J: PartialEq> Slot<J> {
    fn is(&self, (interval, job): &(Duration, J)) -> bool {
        self.interval == *interval && self.job == *job
    }
}

/// By how much a first run is put off: satellites that are told the same at the same time do not
/// all begin at the same time.
fn spread(interval: Duration, random: f64) -> Duration {
    (interval / SPREAD_DIVISOR).min(MAX_SPREAD).mul_f64(random.clamp(0.0, 1.0))
}

/// The first point after `now` of the rhythm that `last` is a point of. Points that were missed
/// are not made up for.
fn after(last: Duration, interval: Duration, now: Duration) -> Duration {
    let interval = interval.max(Duration::from_millis(1));
    let late = now.saturating_sub(last);
    let missed = late.as_nanos() / interval.as_nanos();
    let missed = u32::try_from(missed).unwrap_or(u32::MAX - 1);
    last + interval * (missed + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Plain = Schedule<u8, u8>;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wanted(jobs: &[(u8, u64, u8)]) -> BTreeMap<u8, (Duration, u8)> {
        jobs.iter().map(|&(key, interval, job)| (key, (seconds(interval), job))).collect()
    }

    fn keys(schedule: &mut Plain, now: Duration) -> Vec<u8> {
        schedule.start_due(now).into_iter().map(|start| start.key).collect()
    }

    /// Runs everything that is due at `now` to its end, at once.
    fn run(schedule: &mut Plain, now: Duration) -> Vec<u8> {
        let starts = schedule.start_due(now);
        for start in &starts {
            schedule.finished(&start.key, start.generation, now);
        }
        starts.into_iter().map(|start| start.key).collect()
    }

    #[test]
    fn the_first_run_is_soon_and_spread_over_a_tenth_of_the_interval() {
        let first = |interval, random| {
            let mut schedule = Plain::new(9);
            schedule.replace(seconds(100), wanted(&[(1, interval, 0)]), || random);
            schedule.next_wake().unwrap() - seconds(100)
        };
        assert_eq!(first(60, 0.0), seconds(0));
        assert_eq!(first(20, 1.0), seconds(2));
        assert_eq!(first(3_600, 1.0), seconds(5), "five seconds at most");
    }

    #[test]
    fn runs_follow_one_another_at_the_interval_however_long_they_take() {
        let mut schedule = Plain::new(9);
        schedule.replace(seconds(0), wanted(&[(1, 10, 0)]), || 0.0);
        for due in [0, 10, 20] {
            assert_eq!(schedule.next_wake(), Some(seconds(due)));
            let start = schedule.start_due(seconds(due) + Duration::from_millis(3)).remove(0);
            schedule.finished(&1, start.generation, seconds(due + 7));
        }
    }

    #[test]
    fn a_run_that_outlasts_its_interval_skips_what_it_missed() {
        let mut schedule = Plain::new(9);
        schedule.replace(seconds(0), wanted(&[(1, 10, 0)]), || 0.0);
        let start = schedule.start_due(seconds(0)).remove(0);
        assert_eq!(schedule.next_wake(), None, "it is running");
        assert!(keys(&mut schedule, seconds(25)).is_empty(), "no second one beside it");
        schedule.finished(&1, start.generation, seconds(25));
        assert_eq!(schedule.next_wake(), Some(seconds(30)));
    }

    #[test]
    fn no_more_run_at_the_same_time_than_may_and_the_longest_waiting_is_next() {
        let mut schedule = Plain::new(2);
        schedule.replace(seconds(0), wanted(&[(1, 10, 0), (2, 20, 0), (3, 30, 0)]), || 0.0);
        let starts = schedule.start_due(seconds(0));
        assert_eq!(starts.len(), 2);
        assert_eq!(schedule.next_wake(), None);
        schedule.finished(&starts[0].key, starts[0].generation, seconds(4));
        assert_eq!(keys(&mut schedule, seconds(4)), [3]);
    }

    #[test]
    fn a_changed_job_begins_anew_at_once_and_its_old_run_is_given_up() {
        let mut schedule = Plain::new(9);
        schedule.replace(seconds(0), wanted(&[(1, 10, 0), (2, 10, 0)]), || 0.0);
        let starts = schedule.start_due(seconds(0));
        let given_up = schedule.replace(seconds(3), wanted(&[(1, 10, 7), (2, 10, 0)]), || 0.0);
        assert_eq!(given_up, [starts[0].generation]);
        let again = schedule.start_due(seconds(3));
        assert_eq!((again.len(), again[0].key, again[0].job), (1, 1, 7));
        // The end of the old run says nothing of the new one.
        schedule.finished(&1, starts[0].generation, seconds(4));
        assert!(keys(&mut schedule, seconds(13)).is_empty(), "it still runs since 3");
    }

    #[test]
    fn a_job_that_is_gone_runs_no_more() {
        let mut schedule = Plain::new(1);
        schedule.replace(seconds(0), wanted(&[(1, 10, 0), (2, 10, 0)]), || 0.0);
        let running = schedule.start_due(seconds(0)).remove(0);
        assert_eq!(schedule.replace(seconds(1), wanted(&[(2, 10, 0)]), || 0.0).len(), 1);
        schedule.finished(&running.key, running.generation, seconds(2));
        assert_eq!(run(&mut schedule, seconds(2)), [2], "its place is free");
        schedule.replace(seconds(3), BTreeMap::new(), || 0.0);
        assert_eq!(schedule.next_wake(), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// So many milliseconds pass; what is due is started.
        Pass(u64),
        /// The n-th of the running ones ends.
        End(usize),
        /// Another configuration: which jobs, and what each says.
        Replace(BTreeMap<u8, (u64, u8)>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let jobs = prop::collection::btree_map(0_u8..5, (1_u64..4, 0_u8..2), 0..5);
        prop::collection::vec(
            prop_oneof![
                6 => (1_u64..3_000).prop_map(Step::Pass),
                4 => (0_usize..5).prop_map(Step::End),
                1 => jobs.prop_map(Step::Replace),
            ],
            0..80,
        )
    }

    /// What must hold of a job from its first run on.
    #[derive(Debug)]
    struct Account {
        interval: u64,
        job: u8,
        first: Duration,
        last: Option<Duration>,
        running: Option<Generation>,
    }

    proptest! {
        #[test]
        fn no_drift_no_overlap_and_what_is_unchanged_keeps_its_rhythm(steps in steps(), limit in 1_usize..4) {
            let mut schedule = Plain::new(limit);
            let mut now = Duration::ZERO;
            let mut accounts: BTreeMap<u8, Account> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Pass(millis) => now += Duration::from_millis(millis),
                    Step::End(n) => {
                        let mut running = accounts.iter_mut().filter(|(_, a)| a.running.is_some());
                        if let Some((key, account)) = running.nth(n) {
                            let generation = account.running.take().unwrap();
                            schedule.finished(key, generation, now);
                        }
                    }
                    Step::Replace(jobs) => {
                        let same = |key: &u8, account: &Account| {
                            jobs.get(key) == Some(&(account.interval, account.job))
                        };
                        let gone: Vec<_> = accounts.iter().filter(|(key, a)| !same(key, a)).filter_map(|(_, a)| a.running).collect();
                        accounts.retain(|key, account| same(key, account));
                        let wanted = jobs.iter().map(|(&key, &(interval, job))| (key, (seconds(interval), job))).collect();
                        prop_assert_eq!(schedule.replace(now, wanted, || 0.0), gone);
                        for (key, (interval, job)) in jobs {
                            accounts.entry(key).or_insert(Account { interval, job, first: now, last: None, running: None });
                        }
                    }
                }
                for start in schedule.start_due(now) {
                    let account = accounts.get_mut(&start.key).expect("only what is wanted runs");
                    prop_assert_eq!(start.job, account.job);
                    prop_assert_eq!(account.running.replace(start.generation), None, "overlap");
                    let interval = seconds(account.interval).as_nanos();
                    let slot = |time: Duration| (time - account.first).as_nanos() / interval;
                    // Runs may begin late, where others were in the way, but each has a point of
                    // the rhythm of its own: drift would let two share one.
                    if let Some(last) = account.last {
                        prop_assert!(slot(now) > slot(last), "a point of the rhythm was used twice");
                    }
                    account.last = Some(now);
                }
                let running = accounts.values().filter(|a| a.running.is_some()).count();
                prop_assert!(running <= limit);
                // Whoever is not running and has room waits for a point of its rhythm.
                if let Some(wake) = schedule.next_wake() {
                    prop_assert!(wake > now);
                    let on_rhythm = accounts.values().any(|a| {
                        (wake - a.first).as_nanos() % seconds(a.interval).as_nanos() == 0
                    });
                    prop_assert!(on_rhythm, "a run is due off the rhythm");
                } else {
                    prop_assert!(running == limit || running == accounts.len());
                }
            }
        }
    }
}
