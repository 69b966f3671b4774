//! Chance: every source of it has a stream of its own, all derived from one seed.

use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::RangeInclusive;

/// One stream of chance.
pub(super) struct Dice(Mutex<SmallRng>);

impl Dice {
    /// The stream of the `number`th `purpose` in the run of `seed`. What one stream is asked
    /// changes no other.
    pub(super) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, purpose, number).hash(&mut hasher);
        Self(Mutex::new(SmallRng::seed_from_u64(hasher.finish())))
    }

    /// A whole number in `range`.
    pub(super) fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.0.lock().random_range(range)
    }

    /// True `times` times in a million.
    pub(super) fn in_a_million(&self, times: u64) -> bool {
        times > 0 && self.number(1..=1_000_000) <= times
    }

    /// True `percent` times in a hundred.
    pub(super) fn percent(&self, percent: u64) -> bool {
        self.number(1..=100) <= percent
    }

    /// A span within `range`, in milliseconds.
    pub(super) fn span(&self, range: RangeInclusive<u64>) -> Millis {
        Millis::new(self.number(range))
    }

    /// A span that is `mean` on average, mostly shorter, and at most four times as long.
    pub(super) fn about(&self, mean: Millis) -> Millis {
        let permille = self.number(0..=2_000) * self.number(0..=2_000) / 1_000;
        Millis::new(mean.get() * permille / 1_000)
    }

    /// One of `items`; none where there are none.
    pub(super) fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        let last = items.len().checked_sub(1)?;
        items.get(self.number(0..=last as u64) as usize)
    }

    /// The same, where there is at least one by construction.
    pub(super) fn choose<T: Copy, const N: usize>(&self, items: [T; N]) -> T {
        items[self.number(0..=(N as u64 - 1)) as usize]
    }

    /// Thirty-two bytes, for ids and tokens.
    pub(super) fn bytes(&self) -> [u8; 32] {
        self.0.lock().random()
    }
}
