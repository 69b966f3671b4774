//! The transition table as text, under any rules.

use std::fmt::Write as _;

use groundcontrol_core::connection::{
    Cause, CloseReason, Command, ConnectionRecord, Context, Decision, LifecycleEvent, RevokeScope,
    WatchSpan,
};
use groundcontrol_core::model::Rules;
use groundcontrol_core::satellite::{CredentialVersion, Epoch, Seq, SessionId, TokenId};
use groundcontrol_core::time::{Millis, Timestamp};
use uuid::Uuid;

const THRESHOLD: i64 = 100;
const SETTLE: i64 = 10;
const NOW: i64 = 10_000;
const EPOCH: Epoch = Epoch(4);
const SEQ: Seq = Seq(7);
const VERSION: CredentialVersion = CredentialVersion(3);

const SESSION: SessionId = SessionId(Uuid::from_u128(1));
const OTHER_SESSION: SessionId = SessionId(Uuid::from_u128(2));
const TOKEN: TokenId = TokenId(Uuid::from_u128(3));
const OTHER_TOKEN: TokenId = TokenId(Uuid::from_u128(4));

/// Every state with every input.
pub(crate) fn every_pair(rules: &dyn Rules) -> String {
    let mut table =
        format!("threshold {THRESHOLD} ms, settle {SETTLE} ms; the current epoch is {}\n", EPOCH.0);
    for State { name, record } in states() {
        let threshold = Millis::new(THRESHOLD.unsigned_abs());
        writeln!(table, "\n# {name} ({})", rules.status(&record, threshold, at(NOW))).unwrap();
        for input in inputs(record.epoch) {
            let decision = decided(rules, &record, &input);
            writeln!(table, "{:<55} {}", input.name, in_words(&record, &decision)).unwrap();
        }
    }
    table
}

/// The table of the rules: which clause answers a command of the current session.
pub(crate) fn of_the_rules(rules: &dyn Rules) -> String {
    use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};
    let states = [
        ("none", ConnectionRecord::default()),
        ("connected", record(Connected, Some(ago(111)), ago(1_000))),
        ("disconnected", record(Disconnected, None, ago(30))),
        ("heartbeat_lost", record(HeartbeatLost, Some(ago(141)), ago(30))),
    ];
    let mut table = String::new();
    for (name, record) in states {
        let epoch = record.epoch;
        let commands = [
            Command::Connect {
                session: OTHER_SESSION,
                token: OTHER_TOKEN,
                seen_epoch: epoch,
                credential_version: VERSION,
            },
            Command::Heartbeat { epoch, at: at(NOW) },
            Command::Close { epoch, reason: CloseReason::ClientClosed },
            Command::Revoke { scope: RevokeScope::AnyToken },
            Command::Sweep,
        ];
        for command in commands {
            let kind = format!("{command:?}");
            let kind = kind.split(' ').next().unwrap_or_default().to_owned();
            let decision = decided(rules, &record, &input(kind.clone(), command));
            writeln!(table, "{name:<15} {kind:<10} {}", in_words(&record, &decision)).unwrap();
        }
    }
    table
}

struct State {
    name: &'static str,
    record: ConnectionRecord,
}

struct Input {
    name: String,
    command: Command,
    watch: Option<WatchSpan>,
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn ago(millis: i64) -> Timestamp {
    at(NOW - millis)
}

fn record(
    event: LifecycleEvent,
    heard: Option<Timestamp>,
    event_at: Timestamp,
) -> ConnectionRecord {
    let cause = match event {
        LifecycleEvent::Connected => Cause::Authenticated,
        LifecycleEvent::Disconnected => Cause::ClientClosed,
        LifecycleEvent::HeartbeatLost => Cause::HeartbeatTimeout,
    };
    ConnectionRecord {
        epoch: EPOCH,
        session: Some(SESSION),
        token: Some(TOKEN),
        last_heartbeat_at: heard,
        last_event: Some(event),
        last_event_at: Some(event_at),
        last_cause: Some(cause),
        seq: SEQ,
    }
}

fn states() -> Vec<State> {
    use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};
    let connected = |heard| record(Connected, Some(ago(heard)), ago(1_000));
    let state = |name, record| State { name, record };
    vec![
        state("none", ConnectionRecord::default()),
        state("connected, heard 20 ms ago", connected(20)),
        state("connected, heard exactly the threshold ago", connected(THRESHOLD)),
        state("connected, heard the threshold and settle ago", connected(THRESHOLD + SETTLE)),
        state("connected, overdue by 1 ms", connected(THRESHOLD + SETTLE + 1)),
        state("disconnected", record(Disconnected, None, ago(30))),
        state("heartbeat_lost 30 ms ago", record(HeartbeatLost, Some(ago(141)), ago(30))),
        state("heartbeat_lost long ago", record(HeartbeatLost, Some(ago(900)), ago(700))),
        state(
            "heartbeat_lost, stamped by a pod that is 5 ms ahead",
            record(HeartbeatLost, Some(ago(141)), at(NOW + 5)),
        ),
    ]
}

/// Epochs are those of the record: its own, the one before, the one after.
fn inputs(current: Epoch) -> Vec<Input> {
    [connects(current), heartbeats(current), closes(current), revokes(), sweeps()]
        .into_iter()
        .flatten()
        .collect()
}

/// Somebody has been watching for long.
fn input(name: String, command: Command) -> Input {
    Input { name, command, watch: Some(WatchSpan { since: at(0), until: at(NOW + 50) }) }
}

fn epochs(current: Epoch) -> Vec<(&'static str, Epoch)> {
    let older = current.0.checked_sub(1).map(|epoch| ("older", Epoch(epoch)));
    [("current", current), ("newer", current.next())].into_iter().chain(older).collect()
}

fn connects(current: Epoch) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (who, session) in [("same session", SESSION), ("other session", OTHER_SESSION)] {
        for (seen, seen_epoch) in epochs(current).into_iter().filter(|(_, epoch)| *epoch <= current)
        {
            for (version, versions) in [("current", 0), ("older", 1)] {
                let name = format!("Connect {who}, epoch {seen}, credential {version}");
                let command = Command::Connect {
                    session,
                    token: OTHER_TOKEN,
                    seen_epoch,
                    credential_version: CredentialVersion(VERSION.0 - versions),
                };
                inputs.push(input(name, command));
            }
        }
    }
    inputs
}

fn heartbeats(current: Epoch) -> Vec<Input> {
    let times = [
        ("5 ms ahead", -5),
        ("now", 0),
        ("20 ms ago", 20),
        ("25 ms ago", 25),
        ("30 ms ago", 30),
        ("the threshold ago", THRESHOLD),
        ("past the threshold", THRESHOLD + 1),
        ("long past the threshold", 699),
    ];
    let mut inputs = Vec::new();
    for (which, epoch) in epochs(current) {
        for (when, millis) in times {
            let name = format!("Heartbeat {which} epoch, {when}");
            inputs.push(input(name, Command::Heartbeat { epoch, at: ago(millis) }));
        }
    }
    inputs
}

fn closes(current: Epoch) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (which, epoch) in epochs(current) {
        for reason in CloseReason::ALL {
            let name = format!("Close {which} epoch, {reason:?}");
            inputs.push(input(name, Command::Close { epoch, reason: *reason }));
        }
    }
    inputs
}

fn revokes() -> Vec<Input> {
    let scopes = [
        ("any token", RevokeScope::AnyToken),
        ("its token", RevokeScope::OnlyToken(TOKEN)),
        ("another token", RevokeScope::OnlyToken(OTHER_TOKEN)),
    ];
    let revoke = |(name, scope)| input(format!("Revoke {name}"), Command::Revoke { scope });
    scopes.map(revoke).into()
}

fn sweeps() -> Vec<Input> {
    let span = |since, until| Some(WatchSpan { since, until });
    let watches = [
        ("watched for long", span(at(0), at(NOW + 50))),
        ("watched up to now", span(at(0), at(NOW))),
        ("lease over since 1 ms", span(at(0), ago(1))),
        ("watched for threshold and settle", span(ago(THRESHOLD + SETTLE), at(NOW + 50))),
        ("watched 1 ms longer", span(ago(THRESHOLD + SETTLE + 1), at(NOW + 50))),
        ("never watched", None),
    ];
    let sweep =
        |(name, watch)| Input { name: format!("Sweep, {name}"), command: Command::Sweep, watch };
    watches.map(sweep).into()
}

fn decided(rules: &dyn Rules, record: &ConnectionRecord, input: &Input) -> Decision {
    let context = Context {
        now: at(NOW),
        threshold: Millis::new(THRESHOLD.unsigned_abs()),
        settle: Millis::new(SETTLE.unsigned_abs()),
        credential_version: VERSION,
        watch: input.watch,
    };
    rules.decide(record, &input.command, &context)
}

fn relative(time: Option<Timestamp>) -> String {
    match time.map(|time| time.as_millis() - NOW) {
        None => "–".into(),
        Some(0) => "now".into(),
        Some(millis) => format!("now{millis:+}"),
    }
}

fn in_words(before: &ConnectionRecord, decision: &Decision) -> String {
    let change = match decision {
        Decision::Record(change) => change,
        Decision::Beat { heard } => return format!("heard {}", relative(Some(*heard))),
        Decision::Unchanged(why) => return format!("unchanged: {why:?}"),
        Decision::Fenced(fence) => return format!("fenced: {fence:?}"),
        Decision::Rejected(why) => return format!("rejected: {why:?}"),
    };
    let next = &change.next;
    let mut text = format!(
        "{} ({}) seq{:+} epoch{:+} heard {} at {}",
        change.edge.event,
        change.edge.cause,
        next.seq.0.cast_signed() - before.seq.0.cast_signed(),
        next.epoch.0.cast_signed() - before.epoch.0.cast_signed(),
        relative(next.last_heartbeat_at),
        relative(next.last_event_at),
    );
    if next.session != before.session {
        text += ", its session and token";
    }
    text
}
