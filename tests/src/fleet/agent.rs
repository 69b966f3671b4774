//! A simulated agent: dials again and again, with growing delays, through one pod or another.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::account::{Account, Answer, Attempt, End, Open};
use super::dialogue::{Beating, Left, talk};
use crate::server::{Said, Satellite, Socket};
use groundcontrol::agent::Backoff;

/// The time from dialling to the answer.
const ANSWER: Duration = Duration::from_secs(4);
/// The first delay before dialling again, and the longest.
const DELAYS: (Duration, Duration) = (Duration::from_millis(150), Duration::from_millis(1_200));
/// Orders that wait for an agent.
const ORDERS: usize = 8;

/// What an agent is told to do.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// Say nothing for a while, on the open connection.
    Silence(Duration),
    /// Close politely, and dial again.
    Leave,
    /// Be gone without a word, and dial again.
    Drop,
    /// Dial through another pod while the old connection goes on.
    Roam,
    /// Dial no more.
    Die(Death),
}

/// How an agent ends for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// It falls silent, and its connection stays open.
    Silent,
    /// It closes politely.
    Leaves,
}

/// What an agent presents: its satellite's token, and which one that is.
#[derive(Clone, Debug)]
struct Credential {
    satellite: Satellite,
    token: u32,
}

/// A running agent. Ends when dropped.
pub struct Agent {
    account: Open,
    credential: Arc<Mutex<Credential>>,
    orders: mpsc::Sender<Order>,
    _running: JoinSet<()>,
}

impl Agent {
    /// Starts an agent that dials the pods at these URLs; `seed` decides which and when.
    pub fn start(
        satellite: Satellite,
        pods: Arc<[String]>,
        heartbeat: Duration,
        seed: u64,
    ) -> Self {
        let account = Account { satellite: satellite.id.clone(), ..Account::default() };
        let account = Arc::new(Mutex::new(account));
        let credential = Arc::new(Mutex::new(Credential { satellite, token: 0 }));
        let (orders, heard) = mpsc::channel(ORDERS);
        let life = Life {
            account: account.clone(),
            credential: credential.clone(),
            pods,
            heartbeat,
            orders: heard,
            chance: SmallRng::seed_from_u64(seed),
            lingering: JoinSet::new(),
        };
        let mut running = JoinSet::new();
        running.spawn(life.live());
        Self { account, credential, orders, _running: running }
    }

    /// Tells it to do something; one that has too much to do already does not hear it.
    pub fn tell(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// Gives it another token.
    pub fn present(&self, satellite: Satellite) {
        let mut credential = self.credential.lock();
        *credential = Credential { satellite, token: credential.token + 1 };
    }

    /// Which token it presents now.
    pub fn token(&self) -> u32 {
        self.credential.lock().token
    }

    /// The id of its satellite.
    pub fn satellite(&self) -> String {
        self.account.lock().satellite.clone()
    }

    /// What it did so far.
    pub fn account(&self) -> Account {
        self.account.lock().clone()
    }

    /// Looks at what it did so far.
    pub fn look<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        look(&self.account.lock())
    }
}

struct Life {
    account: Open,
    credential: Arc<Mutex<Credential>>,
    pods: Arc<[String]>,
    heartbeat: Duration,
    orders: mpsc::Receiver<Order>,
    chance: SmallRng,
    /// Connections that were left open.
    lingering: JoinSet<()>,
}

impl Life {
    async fn live(mut self) {
        let mut backoff = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            if let Some((socket, number)) = self.dial().await {
                backoff.reset();
                let beating = self.beating(number);
                match talk(socket, beating, Some(&mut self.orders)).await {
                    Left::Ended => {}
                    Left::Roams(socket) => {
                        let beating = self.beating(number);
                        self.lingering.spawn(async move {
                            talk(*socket, beating, None).await;
                        });
                        continue;
                    }
                    Left::Dead => return self.rest().await,
                }
            }
            let again = Instant::now() + backoff.next(self.chance.random());
            while let Ok(order) = tokio::select! {
                () = sleep_until(again) => Err(()),
                order = self.orders.recv() => order.ok_or(()),
            } {
                if let Order::Die(_) = order {
                    return self.rest().await;
                }
            }
        }
    }

    /// Dead: whatever was left open is gone, and nothing is done any more.
    async fn rest(mut self) {
        self.lingering.shutdown().await;
        std::future::pending().await
    }

    fn beating(&self, number: usize) -> Beating {
        Beating { account: self.account.clone(), number, every: self.heartbeat }
    }

    /// Dials once; answers the accepted connection and the number of the attempt.
    async fn dial(&mut self) -> Option<(Socket, usize)> {
        let pod = self.chance.random_range(0..self.pods.len());
        let Credential { satellite, token } = self.credential.lock().clone();
        let deadline = Instant::now() + ANSWER;
        let mut socket = tokio::time::timeout_at(deadline, self.open(pod)).await.ok()??;
        let number = {
            let mut account = self.account.lock();
            account.attempts.push(Attempt::begin(pod, token));
            account.attempts.len() - 1
        };
        let said = tokio::time::timeout_at(deadline, socket.present(&satellite)).await;
        let mut account = self.account.lock();
        let attempt = &mut account.attempts[number];
        match said {
            Ok(Said::Message(said)) if said["type"] == "authenticated" => {
                attempt.answer = Answer::Accepted(super::account::now());
                drop(account);
                Some((socket, number))
            }
            Ok(Said::Message(_) | Said::Closed(Some(4401 | 4429))) => {
                attempt.answer = Answer::Refused;
                None
            }
            Ok(Said::Closed(_)) | Err(_) => {
                attempt.ended = Some((super::account::now(), End::Broken));
                None
            }
        }
    }

    async fn open(&self, pod: usize) -> Option<Socket> {
        let host = self.pods[pod].strip_prefix("http://")?;
        let stream = TcpStream::connect(host).await.ok()?;
        timeout(ANSWER, Socket::upgrade(stream, host)).await.ok()?.ok()
    }
}
