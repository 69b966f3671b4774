//! Failed authentications, counted per minute; beyond the limits nobody is looked up.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use groundcontrol_core::limits::{
    FAILED_AUTHS_PER_ADDRESS_PER_MINUTE, FAILED_AUTHS_PER_CLIENT_PER_MINUTE,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

/// Counts failures per client id and per remote address. Local to this pod: a limit, no truth.
pub struct FailedAttempts {
    clients: Mutex<Windows<SatelliteId>>,
    addresses: Mutex<Windows<IpAddr>>,
}

struct Windows<K> {
    most: u32,
    counts: HashMap<K, (Timestamp, u32)>,
}

/// Keys remembered at once, of each kind; beyond it the oldest windows are forgotten.
const REMEMBERED: usize = 65_536;
const WINDOW: Millis = Millis::from_secs(60);

impl Default for FailedAttempts {
    fn default() -> Self {
        Self {
            clients: Mutex::new(Windows::new(FAILED_AUTHS_PER_CLIENT_PER_MINUTE)),
            addresses: Mutex::new(Windows::new(FAILED_AUTHS_PER_ADDRESS_PER_MINUTE)),
        }
    }
}

impl FailedAttempts {
    /// Whether this one is to be refused unseen.
    pub fn exhausted(&self, client: Option<SatelliteId>, remote: IpAddr, now: Timestamp) -> bool {
        client.is_some_and(|id| self.clients.lock().exhausted(id, now))
            || self.addresses.lock().exhausted(network(remote), now)
    }

    /// Counts a failure.
    pub fn failed(&self, client: Option<SatelliteId>, remote: IpAddr, now: Timestamp) {
        if let Some(id) = client {
            self.clients.lock().count(id, now);
        }
        self.addresses.lock().count(network(remote), now);
    }
}

/// Who shares a limit: one IPv4 address, or one IPv6 /64, of which a single host has plenty.
fn network(remote: IpAddr) -> IpAddr {
    match remote.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

impl<K: Eq + Hash + Copy> Windows<K> {
    fn new(most: u32) -> Self {
        Self { most, counts: HashMap::new() }
    }

    fn exhausted(&self, key: K, now: Timestamp) -> bool {
        self.counts
            .get(&key)
            .is_some_and(|(since, failures)| now.since(*since) < WINDOW && *failures >= self.most)
    }

    fn count(&mut self, key: K, now: Timestamp) {
        if self.counts.len() >= REMEMBERED && !self.counts.contains_key(&key) {
            self.counts.retain(|_, (since, _)| now.since(*since) < WINDOW);
            if self.counts.len() >= REMEMBERED {
                self.counts.clear();
            }
        }
        let (since, failures) = self.counts.entry(key).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *failures) = (now, 0);
        }
        *failures = failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn client(n: u128) -> Option<SatelliteId> {
        Some(SatelliteId(Uuid::from_u128(n)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_eleventh_attempt_of_a_client_within_a_minute_is_refused_and_others_are_not() {
        let attempts = FailedAttempts::default();
        for n in 0..10 {
            let from = address(&format!("10.0.0.{n}"));
            assert!(!attempts.exhausted(client(1), from, NOW));
            attempts.failed(client(1), from, NOW);
        }
        let elsewhere = address("10.9.9.9");
        assert!(attempts.exhausted(client(1), elsewhere, NOW));
        assert!(!attempts.exhausted(client(2), elsewhere, NOW));
        assert!(!attempts.exhausted(client(1), elsewhere, NOW + WINDOW));
    }

    #[test]
    fn a_hundred_failures_from_one_network_refuse_the_next() {
        let attempts = FailedAttempts::default();
        for n in 0..100 {
            attempts.failed(None, address(&format!("2001:db8::{n:x}")), NOW);
        }
        assert!(attempts.exhausted(client(7), address("2001:db8::ffff:1"), NOW));
        assert!(!attempts.exhausted(client(7), address("2001:db8:0:1::1"), NOW));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = FailedAttempts::default();
        for n in 0..(REMEMBERED as u128 + 10) {
            attempts.failed(client(n), address("10.0.0.1"), NOW);
        }
        assert!(attempts.clients.lock().counts.len() <= REMEMBERED);
    }
}
