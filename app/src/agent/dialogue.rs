//! What an agent says, and what follows from what it hears. No I/O.

use std::borrow::Cow;
use std::time::Duration;

use groundcontrol_core::limits::{MAX_OFFLINE_THRESHOLD, MIN_HEARTBEAT_INTERVAL};
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::wire::{
    Authenticate, Authenticated, ConfigSecrets, FromSatellite, Heartbeat, ParseError, ResultAck,
    RunSecrets, ScriptPackageBlob, ScriptPackageManifest, ToSatellite,
};
use tracing::{debug, info, warn};

use super::settings::{Exit, Identity};
use super::work::Orders;

/// The version that this agent reports.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What follows from a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reaction {
    /// Nothing.
    Nothing,
    /// The server accepted: send heartbeats, at this interval where it names one, and do what it
    /// orders.
    Accepted {
        /// Between heartbeats.
        heartbeat: Option<Duration>,
        /// What to run.
        orders: Orders,
        /// Whether it came with a sandbox policy.
        policy: bool,
    },
    /// Other orders.
    Ordered(Orders),
    /// A result is stored, or refused for good.
    Settled(ResultAck),
    /// The secret environment that a run asked for.
    RunSecrets(RunSecrets),
    /// The secrets that a configuration refers to.
    ConfigSecrets(ConfigSecrets),
    /// The lockfile of the script packages.
    Packages(String),
    /// What a lockfile holds.
    Manifest(ScriptPackageManifest),
    /// What scripts may do, which this agent does not enforce.
    SandboxPolicy,
    /// One package.
    Blob(ScriptPackageBlob),
    /// It is over for good.
    Stop(Exit),
}

/// The first message.
pub(crate) fn authenticate(identity: &Identity) -> String {
    let message = Authenticate {
        client_id: identity.client_id.to_string(),
        token: (&identity.token).into(),
        capabilities: None,
    };
    FromSatellite::Authenticate(message).to_text()
}

/// The heartbeat of an agent that has been up for so long.
pub(crate) fn heartbeat(uptime: Duration) -> String {
    let message = Heartbeat {
        version: Cow::Borrowed(VERSION),
        uptime_seconds: uptime.as_secs(),
        capabilities: None,
    };
    FromSatellite::Heartbeat(message).to_text()
}

/// What follows from the message in `text`.
pub(crate) fn react(text: &str) -> Reaction {
    match ToSatellite::parse(text) {
        Ok(ToSatellite::Authenticated(accepted)) => on_authenticated(accepted),
        Ok(ToSatellite::AuthFailed(refused)) => {
            Reaction::Stop(Exit::AuthFailed { reason: refused.reason })
        }
        Ok(ToSatellite::Shutdown(told)) => Reaction::Stop(Exit::ShutDown { reason: told.reason }),
        Ok(ToSatellite::ConfigUpdated(update)) => {
            let (assignments, revision) = (update.assignments, update.revision);
            let packages = update.script_packages_lockfile_hash;
            Reaction::Ordered(Orders { assignments, revision, packages })
        }
        Ok(ToSatellite::ResultAck(ack)) => Reaction::Settled(ack),
        Ok(ToSatellite::RunSecrets(secrets)) => Reaction::RunSecrets(secrets),
        Ok(ToSatellite::ConfigSecrets(secrets)) => Reaction::ConfigSecrets(secrets),
        Ok(ToSatellite::RefreshScriptPackages(told)) => Reaction::Packages(told.lockfile_hash),
        Ok(ToSatellite::ScriptPackageManifest(manifest)) => Reaction::Manifest(manifest),
        Ok(ToSatellite::ScriptPackageBlob(blob)) => Reaction::Blob(blob),
        Ok(ToSatellite::SandboxPolicy(_)) => Reaction::SandboxPolicy,
        Ok(other) => {
            debug!(kind = other.kind(), "a message that this agent has no use for");
            Reaction::Nothing
        }
        Err(ParseError::UnknownType(kind)) => {
            debug!(kind, bytes = text.len(), "a message of a newer server");
            Reaction::Nothing
        }
        Err(error) => {
            warn!(%error, bytes = text.len(), "a message that was not understood");
            Reaction::Nothing
        }
    }
}

fn on_authenticated(accepted: Authenticated) -> Reaction {
    let heartbeat = accepted.heartbeat_interval_ms.map(interval);
    info!(
        satellite_id = accepted.satellite_id,
        heartbeat_interval_ms = heartbeat.map(|interval| interval.as_millis() as u64),
        "authenticated"
    );
    let policy = accepted.sandbox_policy.is_some();
    let Authenticated { assignments, revision, script_packages_lockfile_hash, .. } = accepted;
    let orders = Orders { assignments, revision, packages: script_packages_lockfile_hash };
    Reaction::Accepted { heartbeat, orders, policy }
}

/// Whatever a server says, an agent neither floods it nor falls silent.
fn interval(millis: u64) -> Duration {
    Millis::new(millis).clamp(MIN_HEARTBEAT_INTERVAL, MAX_OFFLINE_THRESHOLD).into()
}

#[cfg(test)]
mod tests {
    use groundcontrol_core::satellite::Token;

    use super::*;

    #[test]
    fn the_token_is_in_the_message_and_in_no_printed_identity() {
        let identity = Identity {
            client_id: "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap(),
            token: Token::presented("csat_hidden"),
        };
        assert!(!format!("{identity:?}").contains("hidden"));
        assert_eq!(
            authenticate(&identity),
            r#"{"type":"authenticate","clientId":"67e55044-10b1-426f-9247-bb680e5fe0c8","token":"csat_hidden"}"#
        );
    }

    #[test]
    fn a_heartbeat_tells_version_and_whole_seconds() {
        assert_eq!(
            heartbeat(Duration::from_millis(2_900)),
            format!(r#"{{"type":"heartbeat","version":"{VERSION}","uptimeSeconds":2}}"#)
        );
    }

    #[test]
    fn the_interval_is_the_servers_within_reason() {
        let accepted = |interval: &str| {
            react(&format!(
                r#"{{"type":"authenticated","satelliteId":"x","assignments":[]{interval}}}"#
            ))
        };
        let every = |millis| Reaction::Accepted {
            heartbeat: millis,
            orders: Orders::default(),
            policy: false,
        };
        assert_eq!(accepted(""), every(None));
        assert_eq!(
            accepted(r#","heartbeatIntervalMs":2000.0"#),
            every(Some(Duration::from_secs(2)))
        );
        assert_eq!(
            accepted(r#","heartbeatIntervalMs":0"#),
            every(Some(Duration::from_millis(100)))
        );
    }

    #[test]
    fn a_sandbox_policy_is_noticed_whenever_it_comes() {
        let accepted = r#"{"type":"authenticated","satelliteId":"x","assignments":[],
            "sandboxPolicy":{"network":false}}"#;
        assert!(matches!(react(accepted), Reaction::Accepted { policy: true, .. }));
        let told = r#"{"type":"sandbox_policy","policy":{"network":false}}"#;
        assert_eq!(react(told), Reaction::SandboxPolicy);
    }

    #[test]
    fn refusal_and_shutdown_are_final() {
        assert_eq!(
            react(r#"{"type":"auth_failed","reason":"Invalid client ID or token"}"#),
            Reaction::Stop(Exit::AuthFailed { reason: "Invalid client ID or token".into() })
        );
        assert_eq!(
            react(r#"{"type":"shutdown","reason":"removed"}"#),
            Reaction::Stop(Exit::ShutDown { reason: "removed".into() })
        );
    }

    #[test]
    fn unknown_and_broken_messages_change_nothing() {
        for text in ["", "[]", r#"{"type":"from_the_future"}"#, r#"{"type":"shutdown"}"#] {
            assert_eq!(react(text), Reaction::Nothing, "{text}");
        }
    }
}
