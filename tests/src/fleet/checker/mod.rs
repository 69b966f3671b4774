//! Holds what was recorded and delivered against what the agents know that they did.
//!
//! What an agent knows is little: when it presented its credential and was accepted, when it sent
//! heartbeats, how a connection ended. What must follow from that, whatever went wrong meanwhile,
//! is demanded always; what must follow only where nothing went wrong is demanded of spans that
//! no trouble touched. [`Verdict`] says how often either was looked at: a check that never had
//! anything to look at proves nothing.

mod history;
mod events;
mod sessions;
mod silences;
mod credentials;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::account::{Account, Attempt, Moment};
use super::record::{Delivered, Transition};
use super::troubles::Trouble;

/// How far the time of a record may be from this machine's: the error of a pod's clock, and the
/// time from an answer's way to its being heard.
pub(super) const TOLERANCE: i64 = 500;

/// Everything there is to judge.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// How often agents send heartbeats, in milliseconds.
    pub heartbeat: i64,
    /// How long silence may last, in milliseconds.
    pub threshold: i64,
    /// What the agents know.
    pub accounts: Vec<Account>,
    /// What is recorded, by satellite.
    pub histories: BTreeMap<String, Vec<Transition>>,
    /// What was delivered, by listener. All listened from before the first transition on.
    pub delivered: Vec<Vec<Delivered>>,
    /// What went wrong.
    pub troubles: Vec<Trouble>,
    /// Which tokens ended.
    pub rotations: Vec<Rotation>,
}

/// A satellite's tokens up to one of them ended.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Whose.
    pub satellite: String,
    /// The last token that ended.
    pub token: u32,
    /// When somebody began to ask for it.
    pub asked: Moment,
    /// When it surely was recorded.
    pub recorded: Moment,
}

/// One thing that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule or property forbids it.
    pub rule: &'static str,
    /// Whose.
    pub satellite: String,
    /// What was seen.
    pub what: String,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that must not be.
    pub violations: Vec<Violation>,
    /// Transitions that were looked at.
    pub transitions: usize,
    /// Deliveries of events that were looked at.
    pub deliveries: usize,
    /// Accepted connections that were looked for in the records.
    pub sessions: usize,
    /// Losses that were looked at, …
    pub losses: usize,
    /// … and those of which it was known that nothing had gone wrong but the silence.
    pub sound_losses: usize,
    /// Silences that had to be noticed.
    pub silences: usize,
    /// Times that nobody could store anything for longer than a lease.
    pub blind: usize,
}

/// One satellite: what its agent knows, and what is recorded of it.
struct Case<'a> {
    evidence: &'a Evidence,
    account: &'a Account,
    history: &'a [Transition],
    /// The attempt that opened each epoch, where it is known.
    openers: BTreeMap<u64, &'a Attempt>,
}

/// Judges.
pub fn check(evidence: &Evidence) -> Verdict {
    let blind = silences::blind_spans(evidence).count();
    let mut verdict = Verdict { blind, ..Verdict::default() };
    for account in &evidence.accounts {
        let history = evidence.histories.get(&account.satellite).map_or(&[][..], Vec::as_slice);
        history::check(&account.satellite, history, evidence.threshold, &mut verdict);
        let mut case = Case { evidence, account, history, openers: BTreeMap::new() };
        sessions::open(&mut case, &mut verdict);
        sessions::check_ends(&case, &mut verdict);
        silences::check(&case, &mut verdict);
        credentials::check(&case, &mut verdict);
    }
    events::check(evidence, &mut verdict);
    verdict
}

impl Verdict {
    /// Notes something that must not be.
    fn forbid(&mut self, rule: &'static str, satellite: &str, what: String) {
        self.violations.push(Violation { rule, satellite: satellite.to_owned(), what });
    }

    /// The first things that must not be, and all that is known of the first satellite concerned.
    pub fn explained(&self, evidence: &Evidence) -> String {
        let listed = self.violations.iter().take(LISTED).map(|violation| format!("{violation}\n"));
        let mut text: String = listed.collect();
        let Some(first) = self.violations.first() else { return text };
        for transition in evidence.histories.get(&first.satellite).into_iter().flatten() {
            let Transition { seq, epoch, event, cause, at, pod, .. } = transition;
            let _ = writeln!(text, "{seq} epoch {epoch} {event} {cause:?} at {at} by {pod}");
        }
        let own = evidence.accounts.iter().filter(|account| account.satellite == first.satellite);
        for attempt in own.flat_map(|account| &account.attempts) {
            let _ = writeln!(text, "{attempt:?}");
        }
        for trouble in &evidence.troubles {
            let _ = writeln!(text, "{trouble:?}");
        }
        text
    }

    /// Passes where nothing is forbidden.
    ///
    /// # Panics
    /// Otherwise, with what is.
    pub fn assert_sound(&self, evidence: &Evidence) {
        assert!(self.violations.is_empty(), "{self}\n{}", self.explained(evidence));
    }
}

/// Violations that are listed; mostly one explains the others.
const LISTED: usize = 20;

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.rule, self.satellite, self.what)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transitions, {} deliveries, {} sessions, {} losses ({} sound), {} silences to \
             notice, {} blind spans, {} violations",
            self.transitions,
            self.deliveries,
            self.sessions,
            self.losses,
            self.sound_losses,
            self.silences,
            self.blind,
            self.violations.len()
        )
    }
}
