//! The sockets that did not authenticate yet: a bounded number of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundcontrol_core::ports::{Order, Outbox as _};
use parking_lot::Mutex;

use super::mailbox::Mailbox;

/// Where sockets wait until they authenticate. When it is full the oldest gives way, so that a
/// crowd that says nothing keeps nobody out.
#[derive(Debug)]
pub(crate) struct WaitingRoom {
    seats: usize,
    taken: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    by_age: BTreeMap<u64, Arc<Mailbox>>,
}

/// A seat in the room.
#[derive(Debug)]
pub(crate) struct Ticket(u64);

impl WaitingRoom {
    /// A room with so many seats, at least one.
    pub(crate) fn new(seats: usize) -> Self {
        Self { seats: seats.max(1), taken: Mutex::default() }
    }

    /// Takes a seat; where there is none left the oldest socket is told to give way.
    pub(crate) fn enter(&self, mailbox: Arc<Mailbox>) -> Ticket {
        let mut taken = self.taken.lock();
        let ticket = taken.next;
        taken.next += 1;
        taken.by_age.insert(ticket, mailbox);
        let oldest = if taken.by_age.len() > self.seats { taken.by_age.pop_first() } else { None };
        drop(taken);
        if let Some((_, oldest)) = oldest {
            oldest.evict();
        }
        Ticket(ticket)
    }

    /// Gives the seat back.
    pub(crate) fn leave(&self, ticket: &Ticket) {
        self.taken.lock().by_age.remove(&ticket.0);
    }

    /// Sends everybody home.
    pub(crate) fn drain(&self) {
        let everybody = std::mem::take(&mut self.taken.lock().by_age);
        for mailbox in everybody.into_values() {
            mailbox.deliver(Order::Drain);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn only_the_oldest_that_still_waits_gives_way() {
        let room = WaitingRoom::new(2);
        let mailboxes = [(); 4].map(|()| Arc::new(Mailbox::new(1)));
        let first = room.enter(mailboxes[0].clone());
        room.enter(mailboxes[1].clone());
        room.leave(&first);
        room.enter(mailboxes[2].clone());
        room.enter(mailboxes[3].clone());
        let evicted = mailboxes.map(|mailbox| mailbox.take(Waker::noop()).evicted);
        assert_eq!(evicted, [false, true, false, false]);
    }
}
