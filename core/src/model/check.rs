//! The properties, checked after every step from what was seen and not from how it is decided.

use super::trial::Trial;
use super::world::Entry;
use super::{Fault, Outcome, Property, Rules, SETTLE, Step};
use crate::connection::{
    Command, ConnectionRecord, Context, Decision, HistoryFault, LifecycleEvent, RecordFault,
    Status, Transition, check_history, check_record,
};
use crate::satellite::{CredentialVersion, Epoch, PodName, SatelliteId};
use crate::time::{Millis, Timestamp};
use std::sync::OnceLock;
use uuid::Uuid;

/// What a step is compared with.
pub(super) struct Before {
    pub(super) now: Timestamp,
    pub(super) version: CredentialVersion,
    pub(super) watched_until: Option<Timestamp>,
    record: Option<ConnectionRecord>,
    entries: usize,
    epoch: Epoch,
    was_open: bool,
}

impl Before {
    pub(super) fn of<R>(trial: &Trial<R>) -> Self {
        let world = &trial.world;
        Self {
            now: world.now,
            version: world.credential_version,
            watched_until: world.watch.map(|span| span.until),
            record: world.record.clone(),
            entries: world.history.len(),
            epoch: world.current_epoch(),
            was_open: world.is_open(),
        }
    }

    fn is_unchanged<R>(&self, trial: &Trial<R>) -> bool {
        self.record == trial.world.record && self.entries == trial.world.history.len()
    }
}

/// Every property, after `step` was performed at `stamp` with `outcome`.
///
/// The properties look at nothing but what was sent and what is stored. They come before the
/// table, so that a fault names the promise that is broken rather than the rule that was not
/// followed.
pub(super) fn all<R: Rules>(
    trial: &Trial<R>,
    before: &Before,
    step: &Step,
    stamp: Timestamp,
    outcome: Outcome,
    expected: Outcome,
) -> Result<(), Fault> {
    if !before.is_unchanged(trial) {
        record_and_history(trial)?;
    }
    idempotent(trial, step, stamp)?;
    fenced(trial, before, step)?;
    revoked(trial, before, step)?;
    never_stuck(trial)?;
    once(trial, step, stamp)?;
    blind(trial, step, stamp, outcome)?;
    recovers(trial)?;
    status_on_read(trial)?;
    if trial.properties_alone { Ok(()) } else { table(trial, step, outcome, expected) }
}

/// R1, R2, P5, P6, P8.
fn record_and_history<R>(trial: &Trial<R>) -> Result<(), Fault> {
    let world = &trial.world;
    if let Some(record) = &world.record {
        check_record(record).map_err(Fault::from)?;
    }
    let history: Vec<_> = world.history.iter().map(Entry::to_transition).collect();
    check_history(&history, world.record.as_ref()).map_err(Fault::from)
}

/// P1: the step that was just performed, and every message that ever took effect, changes
/// nothing when it comes once more.
fn idempotent<R: Rules>(trial: &Trial<R>, step: &Step, stamp: Timestamp) -> Result<(), Fault> {
    let Some(read) = trial.world.read() else { return Ok(()) };
    let just_now = matches!(step, Step::Command(_)).then_some(step);
    for message in trial.done.iter().chain(just_now) {
        let changes = match message {
            Step::Command(command) => {
                let again = trial.rules.decide(&read.record, command, &read.context(stamp));
                Outcome::of(&again).changes_the_record()
            }
            Step::EndCredential { read, .. } | Step::AddToken { read } => {
                *read == trial.world.credential_version
            }
            Step::Remove | Step::SetThreshold(_) | Step::Pass { .. } => false,
        };
        if changes {
            let seen = format!("{message:?} changes {:?} once more", read.record);
            return Err(Fault::new(Property::P1, seen));
        }
    }
    Ok(())
}

/// P2.
fn fenced<R>(trial: &Trial<R>, before: &Before, step: &Step) -> Result<(), Fault> {
    let Step::Command(Command::Heartbeat { epoch, .. } | Command::Close { epoch, .. }) = step
    else {
        return Ok(());
    };
    let counts = *epoch == before.epoch && before.was_open;
    if counts || before.is_unchanged(trial) {
        return Ok(());
    }
    let seen = format!(
        "{step:?} changed the record, though epoch {} was current and {}",
        before.epoch,
        if before.was_open { "open" } else { "not open" }
    );
    Err(Fault::new(Property::P2, seen))
}

/// P12: the session of an ended credential changes nothing, and the end of a credential changes
/// no session of another one.
fn revoked<R: Rules>(trial: &Trial<R>, before: &Before, step: &Step) -> Result<(), Fault> {
    if before.is_unchanged(trial) {
        return Ok(());
    }
    let of = |epoch: Epoch| {
        let index = usize::try_from(epoch.0).ok()?.checked_sub(1)?;
        trial.opened_with.get(index).copied()
    };
    let harmed = match step {
        Step::Command(Command::Connect { token, .. }) => trial.has_ended(*token),
        Step::Command(Command::Heartbeat { epoch, .. } | Command::Close { epoch, .. }) => {
            of(*epoch).is_some_and(|token| trial.has_ended(token))
        }
        Step::EndCredential { .. } => of(before.epoch).is_some_and(|token| !trial.has_ended(token)),
        Step::Command(Command::Sweep | Command::Revoke { .. })
        | Step::AddToken { .. }
        | Step::Remove
        | Step::SetThreshold(_)
        | Step::Pass { .. } => false,
    };
    if !harmed {
        return Ok(());
    }
    let seen = format!("{step:?} changed the record to {:?}", trial.world.record);
    Err(Fault::new(Property::P12, seen))
}

/// P3: nobody who reads after the threshold has passed since the satellite's last word sees it
/// online.
fn never_stuck<R: Rules>(trial: &Trial<R>) -> Result<(), Fault> {
    let Some(record) = &trial.world.record else { return Ok(()) };
    let threshold = trial.world.threshold;
    let epoch = trial.world.current_epoch();
    let sent = trial.sent.iter().filter(|(of, _)| *of == epoch).map(|(_, at)| *at);
    let Some(last) = sent.max() else { return Ok(()) };
    let at = last + threshold + Millis::new(1);
    if trial.rules.status(record, threshold, at) == Status::Offline {
        return Ok(());
    }
    Err(Fault::new(Property::P3, format!("online at {at} with {record:?}")))
}

/// S1, at the points in time where the status can change.
fn status_on_read<R: Rules>(trial: &Trial<R>) -> Result<(), Fault> {
    let Some(record) = &trial.world.record else { return Ok(()) };
    let (threshold, now) = (trial.world.threshold, trial.world.now);
    let connected = record.last_event == Some(LifecycleEvent::Connected);
    let last = record.last_heartbeat_at.unwrap_or(now) + threshold;
    for at in [now, last, last + Millis::new(1)] {
        let heard = record.last_heartbeat_at.is_some_and(|heard| at.since(heard) <= threshold);
        let must_be = if connected && heard { Status::Online } else { Status::Offline };
        let status = trial.rules.status(record, threshold, at);
        if status != must_be {
            let seen = format!("{status} at {at} with {record:?} and a threshold of {threshold}");
            return Err(Fault::new(Property::S1, seen));
        }
    }
    Ok(())
}

/// P4.
fn once<R: Rules>(trial: &Trial<R>, step: &Step, stamp: Timestamp) -> Result<(), Fault> {
    let epoch = trial.world.current_epoch();
    let mut losses = trial.losses(epoch).collect::<Vec<_>>();
    losses.sort_unstable();
    for pair in losses.windows(2) {
        let heard_between =
            trial.sent.iter().any(|(of, at)| *of == epoch && pair[0] < *at && *at <= pair[1]);
        if !heard_between {
            let seen = format!("lost at {} and {}, and nothing was sent between", pair[0], pair[1]);
            return Err(Fault::new(Property::P4, seen));
        }
    }
    let (Some(record), Step::Command(Command::Sweep)) = (&trial.world.record, step) else {
        return Ok(());
    };
    let watched = trial.world.watch.filter(|span| span.is_alive(trial.world.now.max(stamp)));
    let silent_since = record.last_heartbeat_at.zip(watched).map(|(at, span)| at.max(span.since));
    let overdue = silent_since
        .is_some_and(|since| stamp.since(since) > trial.world.threshold + SETTLE)
        && record.last_event == Some(LifecycleEvent::Connected);
    if overdue {
        return Err(Fault::new(
            Property::P4,
            format!("a watched silence was not seen: {record:?}"),
        ));
    }
    Ok(())
}

/// P10.
fn blind<R>(
    trial: &Trial<R>,
    step: &Step,
    stamp: Timestamp,
    outcome: Outcome,
) -> Result<(), Fault> {
    let lost = matches!(step, Step::Command(Command::Sweep)) && outcome.changes_the_record();
    if lost && stamp.since(trial.blind_until) <= trial.world.threshold + SETTLE {
        let seen = format!("lost at {stamp}, though nobody watched at {}", trial.blind_until);
        return Err(Fault::new(Property::P10, seen));
    }
    Ok(())
}

/// P9: one heartbeat on the open session is enough, whatever went wrong.
fn recovers<R: Rules>(trial: &Trial<R>) -> Result<(), Fault> {
    let Some(read) = trial.world.read().filter(|_| trial.world.is_open()) else { return Ok(()) };
    let now = read.record.last_event_at.map_or(trial.world.now, |at| at.max(trial.world.now))
        + Millis::new(1);
    let epoch = trial.world.current_epoch();
    let context = Context { now, ..read.context(now) };
    let decision =
        trial.rules.decide(&read.record, &Command::Heartbeat { epoch, at: now }, &context);
    let after = match decision {
        Decision::Record(change) => change.next,
        Decision::Beat { heard } => {
            ConnectionRecord { last_heartbeat_at: Some(heard), ..read.record }
        }
        Decision::Unchanged(_) | Decision::Fenced(_) | Decision::Rejected(_) => read.record,
    };
    if trial.rules.status(&after, read.threshold, now) == Status::Online {
        return Ok(());
    }
    Err(Fault::new(Property::P9, format!("a heartbeat at {now} leaves {after:?}")))
}

/// The transition table: outcome and record are what the rules say.
fn table<R>(
    trial: &Trial<R>,
    step: &Step,
    outcome: Outcome,
    expected: Outcome,
) -> Result<(), Fault> {
    if outcome != expected {
        let seen = format!("{step:?} gave {outcome:?} instead of {expected:?}");
        return Err(Fault::new(Property::Table, seen));
    }
    let (record, must_be) = (&trial.world.record, trial.oracle.record());
    if *record != must_be {
        let seen = format!("{step:?} left {record:?} instead of {must_be:?}");
        return Err(Fault::new(Property::Table, seen));
    }
    Ok(())
}

impl Entry {
    /// The transition that this is the essence of, with nothing that only readers need.
    pub fn to_transition(&self) -> Transition {
        static POD: OnceLock<PodName> = OnceLock::new();
        Transition {
            satellite: SatelliteId(Uuid::nil()),
            seq: self.seq,
            epoch: self.epoch,
            session: self.session,
            kind: Some(self.kind),
            cause: self.cause,
            occurred_at: self.at,
            pod: POD.get_or_init(|| PodName::new("model")).clone(),
            actor: None,
            remote_address: None,
            previous: None,
            next: None,
        }
    }
}

impl From<RecordFault> for Fault {
    fn from(fault: RecordFault) -> Self {
        let property = match fault {
            RecordFault::NeverConnected => Property::R1,
            RecordFault::HeartbeatTime => Property::R2,
        };
        Self::new(property, fault.to_string())
    }
}

impl From<HistoryFault> for Fault {
    fn from(fault: HistoryFault) -> Self {
        let property = match fault {
            HistoryFault::Gap { .. } => Property::P8,
            HistoryFault::Grammar { .. } | HistoryFault::Epochs { .. } => Property::P5,
            HistoryFault::NotTheRecord => Property::P6,
        };
        Self::new(property, fault.to_string())
    }
}
