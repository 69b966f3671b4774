//! Recurring work: jobs whose runs one of all pods does at a time.

use std::fmt;

use async_trait::async_trait;

use crate::time::Millis;

/// The recurring jobs of a fleet. All pods are members of one group that shares them.
///
/// Each run of a job is claimed for a *lease*, renewed while it goes on, and finished; times are
/// the queue's own, so that no member's clock counts (property P11). Every promise below has a
/// case in `conformance::recurring_work`.
///
/// * **Due**: a job that is new to the queue is due at once; after a run was finished, it is due
///   its interval after that run was claimed, and never twice for the time that a run took.
/// * **One at a time**: while a lease lasts, nobody else is given the job.
/// * **Redelivered**: a lease that was neither finished nor renewed lapses, because its member
///   died or failed, and the run is given to the next member that asks.
/// * **Fenced**: who lost a run to another member can neither renew nor finish it, and is told.
///   A lease that lapsed is lost only when another member claims the run.
/// * **Durable**: leases and intervals outlive the members, and the queue's restart.
///
/// May be wrong about: a member that is slower than its lease may still be working when the run
/// is given to another. A job must bear being done twice. May fail: any call. A claim whose
/// answer is lost lapses like that of a member that died.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RecurringWork: Send + Sync {
    /// Claims the run of `job` that is due, for `lease`. Never waits for its turn.
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn>;

    /// Lets the lease last for `lease` from now on; false where it is lost or finished.
    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool>;

    /// The run is done; false where its lease was lost, or it was finished before. A run that
    /// failed is not finished: it is given out again when its lease lapses.
    async fn finish(&self, run: Run) -> QueueResult<bool>;
}

/// A job that recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it is called in the queue.
    pub name: JobName,
    /// How long after the claim of one run the next is due.
    pub every: Millis,
}

/// The name of a job: 1 to 64 lower-case letters, digits and hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(&'static str);

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The run is the caller's until its lease lapses.
    Yours(Run),
    /// It is not due, or another member has it. At most this long until it is worth asking again;
    /// at least a millisecond.
    NotBefore(Millis),
}

/// A run that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of which job.
    pub job: Job,
    /// What tells this claim from all others of the job; the adapter's own.
    pub token: u64,
}

/// Why the queue did not do what it was asked. `doing` completes "could not …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue cannot be reached, or answered too late. Whether it did what was asked is open.
    #[error("could not {doing}: the queue is unavailable ({detail})")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the queue or its client said.
        detail: String,
    },
    /// What the queue holds makes no sense to this version.
    #[error("could not {doing}: what the queue holds is not understood ({detail})")]
    Corrupt {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it, and where.
        detail: String,
    },
}

/// The result of a queue's operation.
pub type QueueResult<T> = Result<T, QueueError>;

impl JobName {
    /// The job called `name`.
    ///
    /// # Panics
    /// Where it is not 1 to 64 lower-case letters, digits and hyphens. In a constant that is an
    /// error of the compiler.
    ///
    /// ```
    /// use groundcontrol_core::ports::JobName;
    /// const SWEEP: JobName = JobName::new("satellite-heartbeat");
    /// assert_eq!(SWEEP.as_str(), "satellite-heartbeat");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 64, "a job's name has 1 to 64 characters");
        let mut at = 0;
        while at < bytes.len() {
            let fits = matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-');
            assert!(fits, "a job's name has lower-case letters, digits and hyphens only");
            at += 1;
        }
        Self(name)
    }

    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_shown_by_its_name() {
        let name = JobName::new("sweep-2");
        assert_eq!((name.as_str(), name.to_string()), ("sweep-2", "sweep-2".to_owned()));
    }
}
