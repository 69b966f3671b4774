//! Nudges between simulated pods: late, overtaken, lost, doubled.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use groundcontrol_core::ports::{Broadcast, Nudge, NudgeStream};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;

use super::dice::Dice;
use super::parameters::Parameters;
use super::pipe::Pipe;

/// A nudge takes up to this long.
const LATE: u64 = 300;
/// Percent of the lost nudges whose loss is noticed.
const NOTICED: u64 = 30;

/// The broadcast of a run.
pub(super) struct Nudges {
    hearers: Mutex<Vec<Weak<Pipe<Nudge>>>>,
    dice: Dice,
    lost: u64,
    doubled: u64,
}

impl Nudges {
    /// The broadcast of a run with these parameters.
    pub(super) fn new(seed: u64, parameters: &Parameters) -> Self {
        Self {
            hearers: Mutex::default(),
            dice: Dice::new(seed, "nudges", 0),
            lost: parameters.nudges_lost,
            doubled: parameters.nudges_doubled,
        }
    }

    /// Drops those who hear no more.
    pub(super) fn forget(&self) {
        self.hearers.lock().retain(|hearer| hearer.strong_count() > 0);
    }

    fn late(&self) -> Millis {
        if self.dice.percent(50) { Millis::ZERO } else { self.dice.span(0..=LATE) }
    }

    fn tell(&self, hearer: &Pipe<Nudge>, nudge: Nudge) {
        if self.dice.percent(self.lost) {
            if self.dice.percent(NOTICED) {
                hearer.send(Nudge::Missed, self.late());
            }
            return;
        }
        hearer.send(nudge, self.late());
        if self.dice.percent(self.doubled) {
            hearer.send(nudge, self.late());
        }
    }
}

#[async_trait]
impl Broadcast for Nudges {
    fn send(&self, nudge: Nudge) {
        let hearers: Vec<_> = {
            let mut hearers = self.hearers.lock();
            hearers.retain(|hearer| hearer.strong_count() > 0);
            hearers.iter().filter_map(Weak::upgrade).collect()
        };
        hearers.iter().for_each(|hearer| self.tell(hearer, nudge));
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        let pipe = Arc::new(Pipe::unordered());
        self.hearers.lock().push(Arc::downgrade(&pipe));
        Box::new(Stream(pipe))
    }
}

struct Stream(Arc<Pipe<Nudge>>);

#[async_trait]
impl NudgeStream for Stream {
    async fn next(&mut self) -> Option<Nudge> {
        Some(self.0.receive().await)
    }
}
