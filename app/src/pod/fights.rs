//! Two agents that use one credential take each other's session over, again and again. Noticed
//! here, so that the newest can be refused for a while instead of filling the history.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use groundcontrol_core::limits::{
    FIGHT_REFUSED_FIRST, FIGHT_REFUSED_MOST, LIVE_TAKEOVERS_PER_MINUTE,
};
use groundcontrol_core::satellite::{Epoch, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

/// Counts takeovers of sockets that were alive. Each pod counts for itself what all pods tell: a
/// limit, no truth.
#[derive(Default)]
pub struct Fights {
    fights: Mutex<HashMap<SatelliteId, Fight>>,
}

#[derive(Default)]
struct Fight {
    takeovers: VecDeque<Takeover>,
    refused_until: Option<Timestamp>,
    rounds: u32,
}

struct Takeover {
    at: Timestamp,
    epoch: Epoch,
    remote: IpAddr,
}

/// A fight that was noticed just now.
#[derive(Debug, PartialEq, Eq)]
pub struct Noticed {
    /// Where the agents are, in no order.
    pub remotes: Vec<IpAddr>,
    /// How long newcomers are refused.
    pub refused_for: Millis,
}

/// Satellites remembered at once; beyond it all that is over is forgotten, or else everything.
const REMEMBERED: usize = 16_384;
/// Takeovers within this time count together.
const WINDOW: Millis = Millis::from_secs(60);
/// After this time without one it is over.
const OVER: Millis = FIGHT_REFUSED_MOST.times(3);

impl Fights {
    /// Counts the takeover of `epoch` from a socket at `remote` that was alive. Telling it twice
    /// is telling it once. Answers where newcomers are refused from now on.
    pub fn displaced(
        &self,
        satellite: SatelliteId,
        epoch: Epoch,
        remote: IpAddr,
        now: Timestamp,
    ) -> Option<Noticed> {
        let mut fights = self.fights.lock();
        if fights.len() >= REMEMBERED && !fights.contains_key(&satellite) {
            fights.retain(|_, fight| !fight.is_over(now));
            if fights.len() >= REMEMBERED {
                fights.clear();
            }
        }
        let fight = fights.entry(satellite).or_default();
        if fight.is_over(now) {
            *fight = Fight::default();
        }
        fight.displaced(Takeover { at: now, epoch, remote }, now)
    }

    /// Whether one more takeover of this satellite is to be refused.
    pub fn refuses(&self, satellite: SatelliteId, now: Timestamp) -> bool {
        let fights = self.fights.lock();
        let until = fights.get(&satellite).and_then(|fight| fight.refused_until);
        until.is_some_and(|until| now < until)
    }
}

impl Fight {
    fn displaced(&mut self, takeover: Takeover, now: Timestamp) -> Option<Noticed> {
        if self.takeovers.iter().any(|known| known.epoch == takeover.epoch) {
            return None;
        }
        self.takeovers.push_back(takeover);
        let recent = |known: &&Takeover| now.since(known.at) < WINDOW;
        let goes_on = self.rounds > 0 && self.refused_until.is_none_or(|until| now >= until);
        let begins = self.rounds == 0
            && self.takeovers.iter().filter(recent).count() >= LIVE_TAKEOVERS_PER_MINUTE;
        let noticed = (begins || goes_on).then(|| self.refuse(now));
        // One more than decides: a takeover that is told late must still be known.
        while self.takeovers.len() > LIVE_TAKEOVERS_PER_MINUTE {
            self.takeovers.pop_front();
        }
        noticed
    }

    fn refuse(&mut self, now: Timestamp) -> Noticed {
        let doubled = FIGHT_REFUSED_FIRST.times(1 << self.rounds.min(16));
        let refused_for = doubled.min(FIGHT_REFUSED_MOST);
        self.refused_until = Some(now + refused_for);
        self.rounds += 1;
        let mut remotes: Vec<_> = self.takeovers.iter().map(|known| known.remote).collect();
        remotes.sort_unstable();
        remotes.dedup();
        Noticed { remotes, refused_for }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.takeovers.back().is_none_or(|last| now.since(last.at) >= OVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn one() -> SatelliteId {
        SatelliteId(Uuid::from_u128(1))
    }

    /// Agents at two addresses take over from each other, at these seconds.
    fn fight(fights: &Fights, first: u64, seconds: &[u64]) -> Vec<Option<Noticed>> {
        let tell = |(number, second): (u64, &u64)| {
            let remote = IpAddr::from([10, 0, 0, (number % 2) as u8]);
            let now = NOW + Millis::from_secs(*second);
            fights.displaced(one(), Epoch(first + number), remote, now)
        };
        (0..).zip(seconds).map(tell).collect()
    }

    fn at(second: u64) -> Timestamp {
        NOW + Millis::from_secs(second)
    }

    #[test]
    fn the_fifth_live_takeover_within_a_minute_begins_the_refusing_and_names_both_addresses() {
        let fights = Fights::default();
        let noticed = fight(&fights, 1, &[0, 10, 20, 30, 59]);
        assert!(noticed[..4].iter().all(Option::is_none));
        let remotes = vec![[10, 0, 0, 0].into(), [10, 0, 0, 1].into()];
        assert_eq!(noticed[4], Some(Noticed { remotes, refused_for: FIGHT_REFUSED_FIRST }));
        assert!(fights.refuses(one(), at(59)) && fights.refuses(one(), at(88)));
        assert!(!fights.refuses(one(), at(89)));
        assert!(!fights.refuses(SatelliteId(Uuid::from_u128(2)), at(60)));
    }

    #[test]
    fn five_takeovers_in_more_than_a_minute_are_no_fight() {
        let fights = Fights::default();
        assert_eq!(fight(&fights, 1, &[0, 15, 30, 45, 60]), [const { None }; 5]);
        assert!(!fights.refuses(one(), at(60)));
    }

    #[test]
    fn a_takeover_that_is_told_twice_counts_once() {
        let fights = Fights::default();
        for _ in 0..2 {
            assert_eq!(fight(&fights, 1, &[0, 1, 2, 3]), [const { None }; 4]);
        }
    }

    #[test]
    fn where_they_go_on_newcomers_are_refused_for_twice_as_long_until_it_is_long_enough() {
        let fights = Fights::default();
        fight(&fights, 1, &[0, 1, 2, 3, 4]);
        let (mut now, mut spans) = (4, Vec::new());
        for epoch in 6..13 {
            now += 600;
            let noticed = fight(&fights, epoch, &[now]).pop().flatten().expect("goes on");
            spans.push(noticed.refused_for.get() / 1_000);
        }
        assert_eq!(spans, [60, 120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn while_newcomers_are_refused_a_late_word_about_a_takeover_prolongs_nothing() {
        let fights = Fights::default();
        fight(&fights, 1, &[0, 1, 2, 3, 4]);
        assert_eq!(fight(&fights, 6, &[5]), [None]);
        assert!(!fights.refuses(one(), at(34)));
    }

    #[test]
    fn after_half_an_hour_of_peace_it_is_over() {
        let fights = Fights::default();
        fight(&fights, 1, &[0, 1, 2, 3, 4]);
        assert_eq!(fight(&fights, 6, &[4 + 1_800]), [None]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let fights = Fights::default();
        for n in 0..(REMEMBERED as u128 + 10) {
            fights.displaced(SatelliteId(Uuid::from_u128(n)), Epoch(1), [10, 0, 0, 1].into(), NOW);
        }
        assert!(fights.fights.lock().len() <= REMEMBERED);
    }
}
