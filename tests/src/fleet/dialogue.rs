//! What an agent does on a connection that was accepted.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::account::{End, Open, now};
use super::agent::{Death, Order};
use crate::server::{Said, Socket};

/// The time for the server's echo of a close frame.
const ECHO: Duration = Duration::from_secs(3);

/// The heartbeats on one connection, and where they are written down.
pub(super) struct Beating {
    pub(super) account: Open,
    /// Which of the account's attempts this is.
    pub(super) number: usize,
    /// Between heartbeats.
    pub(super) every: Duration,
}

/// How an agent left a connection.
pub(super) enum Left {
    /// The connection ended.
    Ended,
    /// It goes on, beside the next.
    Roams(Box<Socket>),
    /// The agent ended.
    Dead,
}

/// Beats until the connection ends or an order says otherwise; without orders to hear, until it
/// ends. Dropped in between, the connection was dropped.
pub(super) async fn talk(
    mut socket: Socket,
    beating: Beating,
    mut orders: Option<&mut mpsc::Receiver<Order>>,
) -> Left {
    let mut ledger = Ledger { beating, open: true };
    let mut due = Instant::now();
    let mut dead = false;
    loop {
        tokio::select! {
            said = socket.next() => match said {
                Said::Message(said) if said["type"] == "shutdown" => {}
                Said::Message(_) => {}
                Said::Closed(code) => {
                    ledger.ended(code.map_or(End::Broken, End::Closed));
                    if !dead {
                        return Left::Ended;
                    }
                    return Left::Dead;
                }
            },
            () = sleep_until(due) => {
                due += ledger.beating.every;
                if !dead {
                    socket.heartbeat().await;
                    ledger.beat();
                }
            }
            order = hear(&mut orders), if !dead => match order {
                Order::Silence(span) => due = Instant::now() + span,
                Order::Drop => return Left::Ended,
                Order::Leave => {
                    ledger.leave(socket).await;
                    return Left::Ended;
                }
                Order::Roam => {
                    ledger.open = false;
                    return Left::Roams(Box::new(socket));
                }
                Order::Die(Death::Silent) => dead = true,
                Order::Die(Death::Leaves) => {
                    ledger.leave(socket).await;
                    return Left::Dead;
                }
            },
        }
    }
}

/// The next order; never, where there are none to hear.
async fn hear(orders: &mut Option<&mut mpsc::Receiver<Order>>) -> Order {
    if let Some(orders) = orders
        && let Some(order) = orders.recv().await
    {
        return order;
    }
    std::future::pending().await
}

/// Writes down what happens on one connection, its end in any case.
struct Ledger {
    beating: Beating,
    open: bool,
}

impl Ledger {
    fn beat(&self) {
        let Beating { account, number, .. } = &self.beating;
        account.lock().attempts[*number].beats.push(now());
    }

    fn ended(&mut self, end: End) {
        let Beating { account, number, .. } = &self.beating;
        account.lock().attempts[*number].ended = Some((now(), end));
        self.open = false;
    }

    async fn leave(&mut self, socket: Socket) {
        let Beating { account, number, .. } = &self.beating;
        account.lock().attempts[*number].closing = Some(now());
        let _ = timeout(ECHO, socket.close()).await;
        self.ended(End::Left);
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if self.open {
            self.ended(End::Dropped);
        }
    }
}
