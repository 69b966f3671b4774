//! What is wrong between one pod and the store just now.

use groundcontrol_core::ports::{StoreError, StoreResult};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// Calls at one moment of simulated time, beyond which a pod runs in circles.
const MOST_AT_ONCE: u32 = 20_000;

/// The connection of one pod to the store.
#[derive(Default)]
pub(super) struct Faults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    away: Option<Instant>,
    stalled: Option<Instant>,
    full: Option<Instant>,
    troubled: Option<Instant>,
    moment: Option<(Instant, u32)>,
}

/// Something that is wrong with the store for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    /// It cannot be reached.
    Away,
    /// It answers nothing until later.
    Stalled,
    /// It refuses writes.
    Full,
}

impl Faults {
    /// `outage` begins, for `span`.
    pub(super) fn begin(&self, outage: Outage, span: Millis) {
        let until = Some(Instant::now() + span.into());
        let mut inner = self.0.lock();
        match outage {
            Outage::Away => inner.away = until,
            Outage::Stalled => inner.stalled = until,
            Outage::Full => inner.full = until,
        }
    }

    /// Everything is well again.
    pub(super) fn heal(&self) {
        let mut inner = self.0.lock();
        (inner.away, inner.stalled, inner.full) = (None, None, None);
        inner.troubled = Some(Instant::now());
    }

    /// Something went wrong just now.
    pub(super) fn trouble(&self) {
        self.0.lock().troubled = Some(Instant::now());
    }

    /// For how long nothing has gone wrong; `ever` where nothing ever did.
    pub(super) fn well_for(&self, ever: Millis) -> Millis {
        let troubled = self.0.lock().troubled;
        troubled.map_or(ever, |at| Instant::now().saturating_duration_since(at).into())
    }

    /// Counts a call; false when the pod runs in circles.
    pub(super) fn count(&self) -> bool {
        let (mut inner, now) = (self.0.lock(), Instant::now());
        let calls = match inner.moment {
            Some((moment, calls)) if moment == now => calls + 1,
            Some(_) | None => 1,
        };
        inner.moment = Some((now, calls));
        calls < MOST_AT_ONCE
    }

    /// What outages do to a call, before it reaches the store.
    pub(super) async fn pass(&self, doing: &'static str, writes: bool) -> StoreResult<()> {
        loop {
            let (now, stalled) = (Instant::now(), self.0.lock().stalled);
            match stalled.filter(|until| *until > now) {
                // A stall that heals is noticed at once: the wait is cut into seconds.
                Some(until) => {
                    self.trouble();
                    sleep_until(until.min(now + Millis::from_secs(1).into())).await;
                    self.trouble();
                }
                None => break,
            }
        }
        let mut inner = self.0.lock();
        let now = Instant::now();
        let holds = |until: Option<Instant>| until.is_some_and(|until| until > now);
        let (away, full) = (holds(inner.away), writes && holds(inner.full));
        if away || full {
            inner.troubled = Some(now);
        }
        let detail = "simulated".to_owned();
        if away {
            return Err(StoreError::Unavailable { doing, detail });
        }
        if full {
            return Err(StoreError::RefusesWrites { doing, detail });
        }
        Ok(())
    }
}
