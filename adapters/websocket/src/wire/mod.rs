//! The satellite protocol as types: every message of both directions, for reading and writing.
//!
//! A message is one JSON object that says in `type` what it is. [`FromSatellite::parse`] and
//! [`ToSatellite::parse`] read one, `to_text` writes one. Peers of other versions are normal:
//! unknown fields are ignored, a `type` that this version does not know is told apart from a
//! message that does not parse, and numbers that the protocol calls integer may arrive as
//! `15.0`. Objects that are only stored or relayed stay the JSON text they came as
//! ([`Opaque`]); tokens and secrets cannot be printed ([`SecretText`]).
//!
//! ```
//! use groundcontrol_websocket::wire::{FromSatellite, ParseError};
//! let text = r#"{"type":"heartbeat","version":"1.4.0","uptimeSeconds":15.0,"new":1}"#;
//! let FromSatellite::Heartbeat(heartbeat) = FromSatellite::parse(text)? else { panic!() };
//! assert_eq!(heartbeat.version, "1.4.0");
//! assert!(matches!(
//!     FromSatellite::parse(r#"{"type":"from_the_future"}"#),
//!     Err(ParseError::UnknownType(_))
//! ));
//! # Ok::<(), ParseError>(())
//! ```

mod lenient;
mod opaque;
mod parse;
mod from_satellite;
mod to_satellite;
mod assignment;

pub use assignment::{Assertion, Assignment, Collector, Environment};
pub use from_satellite::{
    Authenticate, CapabilityMessage, CapabilitySecretRequest, ConfigApplied, FromSatellite,
    Heartbeat, PackageStatus, RequestConfigSecrets, RequestRunSecrets, RequestScriptPackageBlob,
    RequestScriptPackageManifest, RunResult, RunStatus, ScriptPackageSyncState, StrategyError,
    TelemetryBatch,
};
pub use opaque::{Opaque, SecretText};
pub use parse::ParseError;
pub use to_satellite::{
    AuthFailed, Authenticated, CapabilityConfig, CapabilitySecretResponse, ConfigSecrets,
    ConfigUpdated, ManifestEntry, RefreshScriptPackages, ResultAck, RunSecrets, SandboxPolicy,
    ScriptPackageBlob, ScriptPackageManifest, Shutdown, TelemetryAck, ToSatellite,
};
