//! Store time where the database is a server: the server's.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use groundcontrol_core::ports::Clock;
use groundcontrol_core::time::{Millis, Timestamp};
use metrics::{counter, gauge};
use sea_orm::SqlxError;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::MachineTime;
use super::offset::{Measured, Sample, StoreTime};
use crate::postgres::Readers;

/// Between two measurements.
const EVERY: Duration = Duration::from_secs(30);
/// Between two attempts while the server does not answer.
const RETRY: Duration = Duration::from_secs(2);
/// Questions of a measurement; the answer that came soonest counts.
const QUESTIONS: u32 = 5;
/// A correction by more than this is worth a word.
const STEP: i64 = 1_000_000;
/// A greater error is worth a word: it makes the notice of every silence later.
const SLOW: Millis = Millis::new(100);

/// The time of a database server, as this machine knows it.
///
/// It is measured against the server's clock when the store is opened and every thirty seconds
/// from then on, and follows the monotonic clock in between: what this machine's wall clock says
/// does not matter. Its error is half of what the best answer took, and grows between
/// measurements as clocks drift; so it also does while the server cannot be reached. Where it
/// turns out to be ahead it runs slower for a while, never backwards.
pub struct ServerClock {
    machine: MachineTime,
    /// The monotonic clock is read with the lock held, so that no reader pairs an old moment with
    /// a new function, or the other way round.
    time: RwLock<StoreTime>,
}

impl ServerClock {
    /// Measures, and goes on measuring in a task that ends with the clock or is aborted.
    pub(crate) async fn start(
        machine: MachineTime,
        server: Arc<Readers>,
    ) -> Result<(Arc<Self>, JoinHandle<()>), SqlxError> {
        let sample = ask(&machine, &server).await?;
        let time = RwLock::new(StoreTime::starting(sample));
        let clock = Arc::new(Self { machine, time });
        if clock.error() > SLOW {
            tracing::warn!(error = %clock.error(), "the database server answers slowly; \
                silences are noticed later by twice this error");
        }
        clock.show();
        let following = tokio::spawn(follow(Arc::downgrade(&clock), server));
        Ok((clock, following))
    }

    /// Asks the server once more.
    pub(crate) async fn measure(&self, server: &Readers) -> Result<(), SqlxError> {
        let sample = ask(&self.machine, server).await?;
        self.follow(sample);
        Ok(())
    }

    fn follow(&self, sample: Sample) {
        let mut time = self.time.write().unwrap_or_else(PoisonError::into_inner);
        match time.measured(sample, micros(self.machine.running())) {
            Measured::Taken(next, ahead) => {
                *time = next;
                drop(time);
                counter!("groundcontrol_clock_samples_total", "taken" => "yes").increment(1);
                if ahead.abs() > STEP {
                    let ahead = Duration::from_micros(ahead.unsigned_abs());
                    tracing::warn!(?ahead, "the database server's clock was set");
                }
            }
            Measured::Slow => {
                counter!("groundcontrol_clock_samples_total", "taken" => "no").increment(1);
            }
        }
    }

    /// Shows the error, and how far this machine's wall clock is ahead of store time.
    fn show(&self) {
        let ahead = self.wall_ahead().unwrap_or_default();
        gauge!("groundcontrol_clock_wall_ahead_seconds").set(ahead as f64 / 1_000.0);
        gauge!("groundcontrol_clock_error_seconds").set(self.error().get() as f64 / 1_000.0);
    }

    fn read<T>(&self, read: impl FnOnce(StoreTime, i64) -> T) -> T {
        let time = self.time.read().unwrap_or_else(PoisonError::into_inner);
        read(*time, micros(self.machine.running()))
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.read(StoreTime::at).div_euclid(1_000))
    }

    fn error(&self) -> Millis {
        // What is lost by showing whole milliseconds counts too.
        let error = self.read(StoreTime::error_at).unsigned_abs();
        Millis::new(error.div_ceil(1_000) + 1)
    }

    fn wall_ahead(&self) -> Option<i64> {
        Some(self.machine.wall().as_millis() - self.now().as_millis())
    }
}

impl fmt::Debug for ServerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerClock").field("error", &self.error()).finish_non_exhaustive()
    }
}

/// Measures again and again until the clock is gone.
async fn follow(clock: Weak<ServerClock>, server: Arc<Readers>) {
    let mut pause = EVERY;
    loop {
        sleep(pause).await;
        let Some(clock) = clock.upgrade() else { return };
        pause = match clock.measure(&server).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::debug!(%error, "could not ask the database server for the time");
                RETRY
            }
        };
        clock.show();
    }
}

/// Asks a few times on one connection, and answers what was heard soonest.
async fn ask(machine: &MachineTime, server: &Readers) -> Result<Sample, SqlxError> {
    let mut best: Option<Sample> = None;
    let mut lent = server.lend().await?;
    for _ in 0..QUESTIONS {
        let sent = micros(machine.running());
        let told = match lent.told_time().await {
            Ok(told) => told,
            Err(error) => {
                lent.discard();
                return Err(error);
            }
        };
        let sample = Sample { sent, told, received: micros(machine.running()) };
        if best.is_none_or(|best| sample.error() < best.error()) {
            best = Some(sample);
        }
    }
    best.ok_or(SqlxError::RowNotFound)
}

fn micros(running: Duration) -> i64 {
    i64::try_from(running.as_micros()).unwrap_or(i64::MAX)
}
