//! Properties P1–P12 of `decide` alone, each under its own name. (Those of a store with several
//! pods on it are in the testkit.)
//!
//! A [`Trial`] checks all of them after every step; the tests here look at each from another
//! side: by a second run, by an ending that the property speaks about, or by words of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use groundcontrol_core::connection::{
    Cause, CloseReason, Command, ConnectionRecord, LifecycleEvent, RevokeScope, Status,
    TransitionKind, decide, status,
};
use groundcontrol_core::model::{
    ERROR, Entry, LEASE, Operation, Outcome, Reading, SoundRules, Step, THRESHOLD, Trial, World,
    operations, operations_within,
};
use groundcontrol_core::ports::{Guard, WriteOutcome};
use groundcontrol_core::satellite::{CredentialVersion, Epoch};
use groundcontrol_core::time::{Millis, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const LENGTH: usize = 24;
const MOST_SKEW: i64 = ERROR.as_i64();

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        // What a test cannot use is passed over, however many cases are asked for.
        max_global_rejects: u32::MAX,
        ..ProptestConfig::default()
    }
}

fn after(operations: &[Operation]) -> Trial {
    let mut trial = Trial::new();
    if let Err((index, fault)) = trial.perform_all(operations) {
        panic!("{fault} after {:?}", &operations[..=index]);
    }
    trial
}

fn perform(trial: &mut Trial, operation: Operation) -> Outcome {
    trial.perform(operation).unwrap_or_else(|fault| panic!("{fault} after {operation:?}"))
}

fn events(trial: &Trial) -> Vec<LifecycleEvent> {
    let history = trial.world().history.iter();
    history
        .filter_map(
            |entry| if let TransitionKind::Edge(event) = entry.kind { Some(event) } else { None },
        )
        .collect()
}

/// Everything but the times of heartbeats and the present.
fn essence(world: &World) -> (Option<ConnectionRecord>, Vec<Entry>) {
    (world.record.clone(), world.history.clone())
}

/// Whatever a satellite may do that is no sign of life.
fn silent(operation: &Operation) -> bool {
    match operation {
        Operation::Sweep
        | Operation::Close { .. }
        | Operation::Pass { .. }
        | Operation::ReplaceToken
        | Operation::AddToken
        | Operation::EndToken { .. } => true,
        Operation::Connect { .. }
        | Operation::Again { .. }
        | Operation::Heartbeat { .. }
        | Operation::Remove
        | Operation::SetThreshold(_) => false,
    }
}

proptest! {
    #![proptest_config(config())]

    /// Every message that took effect is delivered again, once or more, at any later time: the
    /// run with doubles ends as the run without.
    #[test]
    fn p1_doing_a_command_twice_is_doing_it_once(
        operations in operations_within(LENGTH),
        doubles in vec((0..LENGTH, 0..LENGTH), 0..LENGTH),
    ) {
        let (mut once, mut twice) = (Trial::new(), World::default());
        let mut arrived: Vec<(Step, bool)> = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            let stamp = once.world().now;
            let Some(step) = once.resolve(*operation, stamp) else { continue };
            let outcome = once.step(&step, stamp).unwrap();
            prop_assert_eq!(twice.apply(&SoundRules, &step, stamp), outcome);
            let is_message = !matches!(step, Step::Pass { .. } | Step::SetThreshold(_));
            arrived.push((step, is_message && outcome.changes_the_record()));
            for (_, earlier) in doubles.iter().filter(|(when, _)| *when == index) {
                let (step, took_effect) = &arrived[earlier % arrived.len()];
                // A sweep is no message: it is a look at what is.
                if *took_effect && *step != Step::Command(Command::Sweep) {
                    twice.apply(&SoundRules, step, once.world().now);
                }
            }
        }
        prop_assert_eq!(essence(once.world()), essence(&twice));
    }

    #[test]
    fn p2_no_command_of_an_older_or_closed_session_changes_the_record(
        operations in operations_within(LENGTH),
        sessions_ago in 0..4_u8,
        ago in 0..THRESHOLD.get(),
        reason in proptest::sample::select(CloseReason::ALL),
    ) {
        let trial = after(&operations);
        let epoch = trial.oracle().epoch().0.saturating_sub(sessions_ago.into());
        prop_assume!(sessions_ago > 0 && epoch > 0 || !trial.oracle().is_open());
        let now = trial.world().now;
        let commands = [
            Command::Heartbeat { epoch: Epoch(epoch), at: now.minus(Millis::new(ago)) },
            Command::Close { epoch: Epoch(epoch), reason },
        ];
        for command in commands {
            let mut world = trial.world().clone();
            let outcome = world.apply(&SoundRules, &Step::Command(command), now);
            prop_assert!(matches!(outcome, Outcome::Fenced(_)), "{:?}", outcome);
            prop_assert_eq!(&world, trial.world());
        }
    }

    /// However long nobody writes, and whatever else happens meanwhile.
    #[test]
    fn p3_without_heartbeats_everybody_sees_offline_after_the_threshold(
        operations in operations_within(LENGTH),
        meanwhile in operations_within(LENGTH),
        later in 1..100_000_u64,
    ) {
        let mut trial = after(&operations);
        let heard = trial.world().now;
        for operation in meanwhile.iter().filter(|operation| silent(operation)) {
            perform(&mut trial, *operation);
        }
        let world = trial.world();
        let at = world.now.max(heard + world.threshold) + Millis::new(later);
        if let Some(record) = &world.record {
            prop_assert_eq!(status(record, world.threshold, at), Status::Offline);
        }
    }

    #[test]
    fn p4_a_watched_silence_is_one_loss_however_often_pods_look(
        operations in operations_within(LENGTH),
        looks in vec(1..THRESHOLD.get(), 1..12),
    ) {
        let mut trial = after(&operations);
        let connected = perform(&mut trial, Operation::CONNECT).changes_the_record();
        prop_assume!(connected);
        let before = trial.world().history.len();
        let watched_for = THRESHOLD.get() * 3;
        for span in looks.iter().copied().chain([watched_for, 1, watched_for]) {
            perform(&mut trial, Operation::Pass { span: Millis::new(span), watched: true });
            perform(&mut trial, Operation::Sweep);
            perform(&mut trial, Operation::Sweep);
        }
        let lost = events(&trial).split_off(before.min(events(&trial).len()));
        prop_assert_eq!(lost, [LifecycleEvent::HeartbeatLost]);
    }

    /// The grammar, read by a machine of its own.
    #[test]
    fn p5_the_edges_of_an_epoch_follow_the_grammar(operations in operations_within(LENGTH * 2)) {
        let trial = after(&operations);
        let mut expected_epoch = 0;
        let mut rest = trial.world().history.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            if first.kind == TransitionKind::Removed {
                prop_assert!(tail.is_empty(), "something follows the removal");
                break;
            }
            expected_epoch += 1;
            prop_assert_eq!(first.epoch, Epoch(expected_epoch));
            let length = 1 + tail.iter().take_while(|entry| entry.epoch == first.epoch && entry.kind != TransitionKind::Removed).count();
            let word: String = rest[..length].iter().map(letter).collect();
            prop_assert!(is_an_epoch(&word), "{}", word);
            rest = &rest[length..];
        }
    }

    /// The fold, written out.
    #[test]
    fn p6_folding_the_history_gives_the_record(operations in operations_within(LENGTH)) {
        let trial = after(&operations);
        let mut folded = ConnectionRecord::default();
        let mut removed = false;
        for entry in &trial.world().history {
            match entry.kind {
                TransitionKind::Removed => removed = true,
                TransitionKind::Edge(event) => {
                    folded.epoch = entry.epoch;
                    folded.session = entry.session;
                    folded.last_event = Some(event);
                    folded.last_event_at = Some(entry.at);
                    folded.last_cause = entry.cause;
                    folded.seq = entry.seq;
                }
            }
        }
        let stored = trial.world().record.clone().map(|record| ConnectionRecord {
            last_heartbeat_at: None,
            token: None,
            ..record
        });
        prop_assert_eq!(stored, (!removed).then_some(folded));
    }

    /// Commands are decided on what was read a while ago; those whose write holds are, at their
    /// commit, what the oracle says of them.
    #[test]
    fn p7_a_run_gives_what_the_order_of_its_commits_gives(
        operations in vec((operations(), 0..5_usize), 0..LENGTH),
    ) {
        let mut trial = Trial::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        for (operation, delay) in operations {
            let stamp = trial.world().now;
            if let Some(step) = trial.resolve(operation, stamp) {
                match (&step, trial.world().read()) {
                    (Step::Command(command), Some(read)) => waiting.push(Waiting {
                        command: command.clone(), read, stamp, steps: delay,
                    }),
                    _ => drop(trial.step(&step, stamp).unwrap()),
                }
            }
            for one in std::mem::take(&mut waiting) {
                match one.steps {
                    0 => commit(&mut trial, one)?,
                    steps => waiting.push(Waiting { steps: steps - 1, ..one }),
                }
            }
        }
    }

    #[test]
    fn p8_seq_grows_by_one_and_only_with_an_edge(operations in operations_within(LENGTH)) {
        let mut trial = Trial::new();
        let mut seqs = Vec::new();
        for operation in operations {
            let before = trial.world().history.len();
            let outcome = perform(&mut trial, operation);
            let added = trial.world().history[before..].to_vec();
            let removed = trial.world().record.is_none() && added.iter().any(|entry| entry.kind == TransitionKind::Removed);
            let edges = usize::from(matches!(outcome, Outcome::Recorded(_)) || removed);
            prop_assert_eq!(added.len(), edges);
            seqs.extend(added.iter().map(|entry| entry.seq.0));
        }
        prop_assert_eq!(&seqs, &(1..=seqs.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn p9_one_heartbeat_on_an_open_session_makes_it_connected_and_online(
        operations in operations_within(LENGTH),
        beats in 1..5,
    ) {
        let mut trial = after(&operations);
        prop_assume!(trial.oracle().is_open());
        for _ in 0..beats {
            perform(&mut trial, Operation::Pass { span: LEASE, watched: true });
            perform(&mut trial, Operation::HEARTBEAT);
            let world = trial.world();
            let record = world.record.clone().unwrap();
            prop_assert_eq!(record.last_event, Some(LifecycleEvent::Connected));
            prop_assert_eq!(status(&record, world.threshold, world.now), Status::Online);
        }
    }

    /// Everything is away for a while; pods come back and look at once and all the time.
    #[test]
    fn p10_nobody_is_lost_for_a_silence_in_which_nobody_listened(
        operations in operations_within(LENGTH),
        away in LEASE.get() + 1..THRESHOLD.get() * 10,
        returns_after in 0..THRESHOLD.get(),
        looks in vec(0..=THRESHOLD.get() / 4, 0..4),
    ) {
        let mut trial = after(&operations);
        prop_assume!(perform(&mut trial, Operation::CONNECT).changes_the_record());
        perform(&mut trial, Operation::SetThreshold(THRESHOLD));
        let away = Operation::Pass { span: Millis::new(away), watched: false };
        perform(&mut trial, away);
        // What is left of the last lease does not count as watching.
        let before = trial.world().history.len();
        let mut left = returns_after;
        for look in looks {
            let look = look.min(left);
            left -= look;
            perform(&mut trial, Operation::Pass { span: Millis::new(look), watched: true });
            perform(&mut trial, Operation::Sweep);
        }
        perform(&mut trial, Operation::Pass { span: Millis::new(left), watched: true });
        perform(&mut trial, Operation::HEARTBEAT);
        perform(&mut trial, Operation::Sweep);
        prop_assert_eq!(trial.world().history.len(), before);
        let world = trial.world();
        let record = world.record.clone().unwrap();
        prop_assert_eq!(status(&record, world.threshold, world.now), Status::Online);
    }

    /// All clocks wrong by hours: the same run, shifted.
    #[test]
    fn p11_clocks_that_are_hours_off_change_nothing(
        operations in operations_within(LENGTH),
        shift in -36_000_000_000_i64..36_000_000_000,
    ) {
        let (mut here, mut there) = (Trial::new(), Trial::new().shifted(shift));
        for operation in operations {
            let (one, other) = (perform(&mut here, operation), perform(&mut there, operation));
            let unshifted = match other {
                Outcome::Beat(at) => Outcome::Beat(moved(at, -shift)),
                other => other,
            };
            prop_assert_eq!(one, unshifted);
        }
        let mut history = there.world().history.clone();
        history.iter_mut().for_each(|entry| entry.at = moved(entry.at, -shift));
        prop_assert_eq!(&here.world().history, &history);
    }

    /// Every pod knows the store time with an error of its own; all properties hold.
    #[test]
    fn p11_pods_that_know_the_store_time_within_e_keep_every_property(
        operations in vec((operations(), -MOST_SKEW..=MOST_SKEW), 0..LENGTH),
    ) {
        let mut trial = Trial::new();
        for (operation, skew) in operations {
            if let Err(fault) = trial.perform_skewed(operation, skew) {
                panic!("{fault} after {operation:?}");
            }
        }
    }

    #[test]
    fn p12_after_its_credential_ended_a_session_changes_nothing(
        operations in operations_within(LENGTH),
        dialled in any::<bool>(),
        ago in 0..THRESHOLD.get(),
    ) {
        let mut trial = after(&operations);
        let stamp = trial.world().now;
        let late = trial.resolve(Operation::CONNECT, stamp);
        prop_assume!(trial.world().record.is_some());
        if dialled {
            perform(&mut trial, Operation::CONNECT);
        }
        let ended = trial.oracle().epoch();
        perform(&mut trial, Operation::ReplaceToken);
        perform(&mut trial, Operation::CONNECT);
        let newer = essence(trial.world());
        prop_assert_eq!(newer.1.last().and_then(|entry| entry.cause), Some(Cause::Authenticated));
        let at = stamp.minus(Millis::new(ago));
        let reason = CloseReason::ConnectionLost;
        let version = CredentialVersion(trial.world().credential_version.0 - 1);
        let of_the_ended = [
            late,
            Some(Step::Command(Command::Heartbeat { epoch: ended, at })),
            Some(Step::Command(Command::Close { epoch: ended, reason })),
            Some(Step::EndCredential { scope: RevokeScope::AnyToken, read: version }),
        ];
        for step in of_the_ended.into_iter().flatten() {
            trial.step(&step, stamp).unwrap();
            prop_assert_eq!(&essence(trial.world()), &newer, "{:?}", step);
        }
    }
}

struct Waiting {
    command: Command,
    read: Reading,
    stamp: Timestamp,
    steps: usize,
}

/// Writes what was decided on the reading, if that still holds, and asks the oracle what must
/// come of the command now.
fn commit(trial: &mut Trial, one: Waiting) -> Result<(), TestCaseError> {
    let Waiting { command, read, stamp, .. } = one;
    let decision = decide(&read.record, &command, &read.context(stamp));
    let mut written_then = trial.world().clone();
    let written = written_then.write(&read, &decision, Guard::of(&command), stamp);
    let changes = Outcome::of(&decision).changes_the_record();
    if written != WriteOutcome::Applied || !changes {
        return Ok(());
    }
    // A threshold that changed since the reading is a write of its own that depends on nothing:
    // in the serial order it comes after this command. (A sweep compares it.)
    let changed = (trial.world().threshold != read.threshold).then_some(trial.world().threshold);
    let now = trial.world().now;
    let swap = |trial: &mut Trial, threshold| trial.step(&Step::SetThreshold(threshold), now);
    if changed.is_some() {
        swap(trial, read.threshold).unwrap();
    }
    trial.step(&Step::Command(command), stamp).unwrap();
    if let Some(threshold) = changed {
        swap(trial, threshold).unwrap();
    }
    prop_assert_eq!(essence(trial.world()), essence(&written_then));
    Ok(())
}

fn moved(at: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + by)
}

fn letter(entry: &Entry) -> char {
    match (entry.kind, entry.cause) {
        (_, Some(Cause::Authenticated | Cause::TookOver)) => 'a',
        (_, Some(Cause::HeartbeatResumed)) => 'r',
        (_, Some(Cause::HeartbeatTimeout)) => 'l',
        (TransitionKind::Edge(LifecycleEvent::Disconnected), Some(_)) => 'd',
        _ => '?',
    }
}

/// `a(lr)*l?d?`
fn is_an_epoch(word: &str) -> bool {
    let Some(mut rest) = word.strip_prefix('a') else { return false };
    while let Some(after) = rest.strip_prefix("lr") {
        rest = after;
    }
    let rest = rest.strip_prefix('l').unwrap_or(rest);
    rest.strip_prefix('d').unwrap_or(rest).is_empty()
}
