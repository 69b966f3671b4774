//! Results on their way to the server. No clock, no I/O: times are spans since the agent began.

use std::collections::VecDeque;
use std::time::Duration;

/// Results that are sent and not yet acknowledged, at most: a server that is slow to store is not
/// sent all that waits.
const WINDOW: usize = 256;
/// After how long without acknowledgement a result is sent again.
const RESEND: Duration = Duration::from_secs(60);

/// How much an outbox keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Results.
    pub(crate) results: usize,
    /// Bytes of all results together.
    pub(crate) bytes: usize,
}

/// Results that wait to be sent or acknowledged, in the order in which they were made. Where
/// there are too many, the oldest is dropped and counted.
#[derive(Debug)]
pub(crate) struct Outbox {
    bounds: Bounds,
    kept: VecDeque<Kept>,
    bytes: usize,
    dropped: u64,
    in_flight: usize,
    /// Whether the server acknowledges. One that does not has a result when it was sent.
    acknowledged: bool,
}

#[derive(Debug)]
struct Kept {
    id: String,
    text: String,
    sent: Option<Duration>,
}

impl Outbox {
    /// Nothing to send.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let kept = VecDeque::new();
        Self { bounds, kept, bytes: 0, dropped: 0, in_flight: 0, acknowledged: false }
    }

    /// Keeps the result with this id, as the message that carries it.
    pub(crate) fn push(&mut self, id: String, text: String) {
        self.bytes += text.len();
        self.kept.push_back(Kept { id, text, sent: None });
        let fits = |outbox: &Self| {
            outbox.kept.len() <= outbox.bounds.results && outbox.bytes <= outbox.bounds.bytes
        };
        // A single result is sent however long it is.
        while !fits(self) && self.kept.len() > 1 {
            self.remove(0);
            self.dropped += 1;
        }
    }

    /// A new connection: whatever was sent on an old one is sent again.
    pub(crate) fn connected(&mut self, acknowledged: bool) {
        self.acknowledged = acknowledged;
        self.in_flight = 0;
        self.kept.iter_mut().for_each(|kept| kept.sent = None);
    }

    /// The id and the message to send next, if any may be sent at `now`. It counts as under way.
    pub(crate) fn next(&mut self, now: Duration) -> Option<(String, String)> {
        let at = self.kept.iter().position(|kept| kept.due(now))?;
        let again = self.kept[at].sent.is_some();
        if !again && self.in_flight >= WINDOW {
            return None;
        }
        let kept = &mut self.kept[at];
        kept.sent = Some(now);
        let message = (kept.id.clone(), kept.text.clone());
        self.in_flight += usize::from(!again);
        Some(message)
    }

    /// When something is to be sent again, if nothing else happens.
    pub(crate) fn next_resend(&self) -> Option<Duration> {
        self.kept.iter().filter_map(|kept| kept.sent).min().map(|sent| sent + RESEND)
    }

    /// The message was handed to the connection.
    pub(crate) fn sent(&mut self, id: &str) {
        if !self.acknowledged {
            self.settle(id);
        }
    }

    /// The server has the result, or refused it for good.
    pub(crate) fn settle(&mut self, id: &str) {
        if let Some(at) = self.kept.iter().position(|kept| kept.id == id) {
            self.remove(at);
        }
    }

    /// Results that are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// How many were dropped since this was last asked.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn remove(&mut self, at: usize) {
        if let Some(kept) = self.kept.remove(at) {
            self.bytes -= kept.text.len();
            self.in_flight -= usize::from(kept.sent.is_some());
        }
    }
}

impl Kept {
    fn due(&self, now: Duration) -> bool {
        self.sent.is_none_or(|sent| now.saturating_sub(sent) >= RESEND)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn outbox(results: usize, acknowledged: bool) -> Outbox {
        let mut outbox = Outbox::new(Bounds { results, bytes: usize::MAX });
        outbox.connected(acknowledged);
        outbox
    }

    fn fill(outbox: &mut Outbox, ids: std::ops::Range<usize>) {
        ids.for_each(|id| outbox.push(id.to_string(), format!("result {id}")));
    }

    /// The ids of all that may be sent at `now`.
    fn sendable(outbox: &mut Outbox, now: Duration) -> Vec<String> {
        std::iter::from_fn(|| outbox.next(now)).map(|(id, _)| id).collect()
    }

    #[test]
    fn results_are_sent_in_order_and_kept_until_they_are_acknowledged() {
        let mut outbox = outbox(10, true);
        fill(&mut outbox, 0..3);
        assert_eq!(sendable(&mut outbox, NOW), ["0", "1", "2"]);
        outbox.sent("0");
        assert_eq!(outbox.len(), 3);
        outbox.settle("1");
        outbox.connected(true);
        assert_eq!(sendable(&mut outbox, NOW), ["0", "2"]);
    }

    #[test]
    fn a_server_that_does_not_acknowledge_has_what_was_sent() {
        let mut outbox = outbox(10, false);
        fill(&mut outbox, 0..2);
        let (id, _) = outbox.next(NOW).unwrap();
        outbox.connected(false);
        assert_eq!(outbox.next(NOW).unwrap().0, id, "it was not sent yet");
        outbox.sent(&id);
        assert_eq!(sendable(&mut outbox, NOW), ["1"]);
    }

    #[test]
    fn the_oldest_is_dropped_first_and_counted() {
        let mut outbox = outbox(3, true);
        fill(&mut outbox, 0..5);
        assert_eq!(outbox.take_dropped(), 2);
        assert_eq!(outbox.take_dropped(), 0);
        assert_eq!(sendable(&mut outbox, NOW), ["2", "3", "4"]);
    }

    #[test]
    fn many_bytes_are_bounded_as_well_and_one_result_is_kept_whatever_its_length() {
        let mut outbox = Outbox::new(Bounds { results: 10, bytes: 10 });
        outbox.push("a".into(), "x".repeat(6));
        outbox.push("b".into(), "x".repeat(6));
        outbox.push("c".into(), "x".repeat(99));
        assert_eq!(outbox.take_dropped(), 2);
        assert_eq!(sendable(&mut outbox, NOW), ["c"]);
    }

    #[test]
    fn a_slow_server_is_sent_no_more_than_a_window() {
        let mut outbox = outbox(10_000, true);
        fill(&mut outbox, 0..1_000);
        assert_eq!(sendable(&mut outbox, NOW).len(), WINDOW);
        outbox.settle("5");
        assert_eq!(sendable(&mut outbox, NOW), [WINDOW.to_string()]);
    }

    #[test]
    fn what_is_not_acknowledged_for_a_minute_is_sent_again() {
        let mut outbox = outbox(10, true);
        fill(&mut outbox, 0..1);
        assert_eq!(sendable(&mut outbox, NOW), ["0"]);
        let again = outbox.next_resend().unwrap();
        assert_eq!(sendable(&mut outbox, again - Duration::from_millis(1)), [""; 0]);
        assert_eq!(sendable(&mut outbox, again), ["0"]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Send(usize),
        Settle(usize),
        Reconnect,
        Pass(u64),
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_the_oldest_and_that_is_counted(
            steps in prop::collection::vec(prop_oneof![
                4 => Just(Step::Push),
                3 => (1_usize..5).prop_map(Step::Send),
                3 => (0_usize..40).prop_map(Step::Settle),
                1 => Just(Step::Reconnect),
                1 => (1_u64..100).prop_map(Step::Pass),
            ], 0..200),
        ) {
            let mut outbox = outbox(8, true);
            let (mut made, mut settled, mut dropped) = (0, BTreeSet::new(), 0);
            let mut now = NOW;
            for step in steps {
                match step {
                    Step::Push => {
                        fill(&mut outbox, made..made + 1);
                        made += 1;
                    }
                    Step::Send(n) => for _ in 0..n {
                        let Some((id, text)) = outbox.next(now) else { break };
                        prop_assert_eq!(text, format!("result {id}"));
                        prop_assert!(!settled.contains(&id), "sent again though settled");
                    },
                    Step::Settle(id) if id < made => {
                        outbox.settle(&id.to_string());
                        settled.insert(id.to_string());
                    }
                    Step::Settle(_) => {}
                    Step::Reconnect => outbox.connected(true),
                    Step::Pass(seconds) => now += Duration::from_secs(seconds),
                }
                dropped += outbox.take_dropped() as usize;
                prop_assert!(outbox.len() <= 8);
                prop_assert!(outbox.len() + dropped + settled.len() >= made);
            }
            outbox.connected(true);
            let rest = sendable(&mut outbox, now);
            let ids: Vec<usize> = rest.iter().map(|id| id.parse().unwrap()).collect();
            prop_assert!(ids.is_sorted());
            prop_assert_eq!(rest.len(), outbox.len());
        }
    }
}
