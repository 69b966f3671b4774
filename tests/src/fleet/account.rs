//! What a simulated agent knows that it did.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// Milliseconds since 1970, by this machine's wall clock: the database server's clock too.
pub type Moment = i64;

/// The moment now.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}

/// All that one satellite's agent did, in order.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The satellite's id.
    pub satellite: String,
    /// Each time that it presented its credential.
    pub attempts: Vec<Attempt>,
}

/// One connection on which the agent presented its credential.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Through which pod.
    pub pod: usize,
    /// Which of the satellite's tokens: 0 is the first.
    pub token: u32,
    /// When it began to say who it is.
    pub presented: Moment,
    /// What it was answered.
    pub answer: Answer,
    /// When it sent heartbeats.
    pub beats: Vec<Moment>,
    /// When it began to close politely, if it did.
    pub closing: Option<Moment>,
    /// How it ended, if it did.
    pub ended: Option<(Moment, End)>,
}

/// What an agent was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it was accepted or not.
    Unknown,
    /// It was accepted, and heard so then.
    Accepted(Moment),
    /// It was refused, which is recorded nowhere.
    Refused,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server closed it with this code.
    Closed(u16),
    /// The agent closed it politely.
    Left,
    /// The agent was gone without a word.
    Dropped,
    /// It broke.
    Broken,
}

/// An account that is still being written.
pub(super) type Open = Arc<Mutex<Account>>;

impl Attempt {
    /// An attempt that begins now.
    pub fn begin(pod: usize, token: u32) -> Self {
        Self {
            pod,
            token,
            presented: now(),
            answer: Answer::Unknown,
            beats: Vec::new(),
            closing: None,
            ended: None,
        }
    }

    /// When it was accepted.
    pub fn accepted(&self) -> Option<Moment> {
        match self.answer {
            Answer::Accepted(at) => Some(at),
            Answer::Unknown | Answer::Refused => None,
        }
    }

    /// The signs of life on it: its acceptance and its heartbeats.
    pub fn signs(&self) -> impl Iterator<Item = Moment> {
        self.accepted().into_iter().chain(self.beats.iter().copied())
    }
}
