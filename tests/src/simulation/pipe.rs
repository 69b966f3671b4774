//! One direction of a connection: what is sent arrives later, or never.

use std::collections::VecDeque;

use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Messages under way.
pub(super) struct Pipe<T> {
    under_way: Mutex<UnderWay<T>>,
    news: Notify,
    keeps_order: bool,
}

struct UnderWay<T> {
    queue: VecDeque<(Instant, T)>,
    not_before: Instant,
    dead: bool,
}

impl<T> Pipe<T> {
    /// A pipe that keeps the order of what is sent, as TCP does.
    pub(super) fn in_order() -> Self {
        Self::new(true)
    }

    /// A pipe in which what takes longer is overtaken.
    pub(super) fn unordered() -> Self {
        Self::new(false)
    }

    fn new(keeps_order: bool) -> Self {
        let under_way =
            UnderWay { queue: VecDeque::new(), not_before: Instant::now(), dead: false };
        Self { under_way: Mutex::new(under_way), news: Notify::new(), keeps_order }
    }

    /// Sends `message`, which takes `delay`.
    pub(super) fn send(&self, message: T, delay: Millis) {
        let mut way = self.under_way.lock();
        if way.dead {
            return;
        }
        let at = (Instant::now() + delay.into()).max(way.not_before);
        if self.keeps_order {
            way.not_before = at;
        }
        let place = way.queue.partition_point(|(other, _)| *other <= at);
        way.queue.insert(place, (at, message));
        drop(way);
        self.news.notify_one();
    }

    /// The next message that arrives. Nothing is lost when it is not waited for.
    pub(super) async fn receive(&self) -> T {
        loop {
            let next = {
                let mut way = self.under_way.lock();
                match way.queue.front() {
                    Some((at, _)) if *at > Instant::now() => Some(*at),
                    Some(_) => match way.queue.pop_front() {
                        Some((_, message)) => return message,
                        None => None,
                    },
                    None => None,
                }
            };
            match next {
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = sleep_until(at) => {}
                        () = self.news.notified() => {}
                    }
                }
                None => self.news.notified().await,
            }
        }
    }

    /// What is under way, and what is sent from now on, never arrives, and nobody is told.
    pub(super) fn die(&self) {
        let mut way = self.under_way.lock();
        way.dead = true;
        way.queue.clear();
    }

    /// Nothing arrives for `span`; then everything does.
    pub(super) fn hold(&self, span: Millis) {
        let mut way = self.under_way.lock();
        let until = Instant::now() + span.into();
        way.not_before = way.not_before.max(until);
        way.queue.iter_mut().for_each(|(at, _)| *at = (*at).max(until));
    }
}
