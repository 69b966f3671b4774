//! The way to one socket's task from anywhere else.

use std::task::Waker;

use groundcontrol_core::ports::{Order, Outbox};
use parking_lot::Mutex;

/// Orders for one socket. Empty most of the time, and then it holds no memory of its own.
#[derive(Debug)]
pub(crate) struct Mailbox {
    most: usize,
    mail: Mutex<Mail>,
}

#[derive(Debug, Default)]
struct Mail {
    post: Post,
    waker: Option<Waker>,
    shut: bool,
}

/// What was in a mailbox.
#[derive(Debug, Default)]
pub(crate) struct Post {
    /// Orders, oldest first.
    pub(crate) orders: Vec<Order>,
    /// More orders came than may wait.
    pub(crate) overflowed: bool,
    /// The socket must give way to younger ones that did not authenticate yet either.
    pub(crate) evicted: bool,
}

impl Mailbox {
    /// A mailbox in which at most `most` orders wait.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, mail: Mutex::default() }
    }

    /// Takes what is in it; `waker` is woken when more comes.
    pub(crate) fn take(&self, waker: &Waker) -> Post {
        let mut mail = self.mail.lock();
        if !mail.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            mail.waker = Some(waker.clone());
        }
        std::mem::take(&mut mail.post)
    }

    /// Tells the socket to give way.
    pub(crate) fn evict(&self) {
        self.put(|post, _| post.evicted = true);
    }

    /// Throws away what comes from now on.
    pub(crate) fn shut(&self) {
        let mut mail = self.mail.lock();
        *mail = Mail { shut: true, ..Mail::default() };
    }

    fn put(&self, put: impl FnOnce(&mut Post, usize)) {
        let mut mail = self.mail.lock();
        if mail.shut {
            return;
        }
        put(&mut mail.post, self.most);
        let waker = mail.waker.clone();
        drop(mail);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Outbox for Mailbox {
    fn deliver(&self, order: Order) {
        self.put(|post, most| {
            if post.orders.len() < most {
                post.orders.push(order);
            } else {
                post.overflowed = true;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_arrive_in_order_and_no_more_wait_than_may() {
        let mailbox = Mailbox::new(2);
        mailbox.deliver(Order::Drain);
        mailbox.deliver(Order::Shutdown { reason: "x" });
        assert!(!mailbox.take(Waker::noop()).overflowed);
        for _ in 0..3 {
            mailbox.deliver(Order::Drain);
        }
        let post = mailbox.take(Waker::noop());
        assert_eq!((post.orders.len(), post.overflowed), (2, true));
        assert!(mailbox.take(Waker::noop()).orders.is_empty());
    }

    #[test]
    fn a_shut_mailbox_keeps_nothing() {
        let mailbox = Mailbox::new(2);
        mailbox.deliver(Order::Drain);
        mailbox.shut();
        mailbox.deliver(Order::Drain);
        assert!(mailbox.take(Waker::noop()).orders.is_empty());
    }
}
