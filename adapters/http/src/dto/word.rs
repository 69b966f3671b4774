//! Single values: names that the core defines, points in time, secrets.

use std::borrow::Cow;
use std::fmt;

use groundcontrol_core::automation::{self, SigningSecret};
use groundcontrol_core::connection as core;
use groundcontrol_core::ports;
use groundcontrol_core::satellite::Token;
use groundcontrol_core::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A wire type for a value that the core has named: the same text, and an enumeration in the
/// schema.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident($core:ty), $all:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $core);

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.name())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                <$core>::from_name(&text).map(Self).ok_or_else(|| {
                    serde::de::Error::custom(not_one_of(&text, &Self::names()))
                })
            }
        }

        impl $name {
            /// Every name, in the core's order.
            pub fn names() -> Vec<&'static str> {
                $all.into_iter().map(|value: $core| value.name()).collect()
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(Self::names()))
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

named! {
    /// `online` or `offline`, computed when it was read.
    Status(core::Status), core::Status::ALL.iter().copied()
}

named! {
    /// How far a satellite got with its packages: `pending`, `syncing`, `ready` or `error`.
    PackageSyncStatus(groundcontrol_core::packages::SyncStatus),
    groundcontrol_core::packages::SyncStatus::ALL
}

named! {
    /// How a run went: `healthy`, `degraded` or `unhealthy`.
    RunStatus(groundcontrol_core::run::RunStatus), groundcontrol_core::run::RunStatus::ALL.iter().copied()
}

named! {
    /// The last edge of a connection: `connected`, `disconnected` or `heartbeat_lost`.
    LastEvent(core::LifecycleEvent), core::LifecycleEvent::ALL.iter().copied()
}

named! {
    /// What a transition records: an edge, or `removed`.
    Edge(core::TransitionKind), core::LifecycleEvent::ALL
        .iter()
        .map(|edge| core::TransitionKind::Edge(*edge))
        .chain([core::TransitionKind::Removed])
}

named! {
    /// Why an edge was recorded.
    Cause(core::Cause), core::Cause::ALL.iter().copied()
}

named! {
    /// Why a satellite is online or offline.
    Reason(core::Reason), core::Reason::ALL.iter().copied()
}

named! {
    /// The number of a rule; ARCHITECTURE.md explains each.
    RuleNumber(core::Rule), core::Rule::ALL.iter().copied()
}

named! {
    /// How events are written: `structured` or `binary` (CloudEvents 1.0).
    ContentMode(automation::ContentMode), automation::ContentMode::ALL.iter().copied()
}

named! {
    /// Where a delivery stands: `waiting`, `delivered` or `dead`.
    DeliveryState(automation::DeliveryState), automation::DeliveryState::ALL.iter().copied()
}

named! {
    /// Why a webhook is paused: `operator`, `gone` or `failing`.
    PauseReason(automation::PauseReason), automation::PauseReason::ALL.iter().copied()
}

named! {
    /// The type of an event, such as `satellite.connected`.
    EventType(core::EventKind), core::EventKind::ALL.iter().copied()
}

named! {
    /// The type of what a webhook is told of an alert: `alert.firing` or `alert.resolved`.
    AlertType(automation::AlertKind), automation::AlertKind::ALL.iter().copied()
}

named! {
    /// The type of what a webhook is told: of an event, or of an alert.
    NoticeType(automation::NoticeKind), core::EventKind::ALL
        .iter()
        .map(|kind| automation::NoticeKind::Event(*kind))
        .chain(automation::AlertKind::ALL.iter().map(|kind| automation::NoticeKind::Alert(*kind)))
}

named! {
    /// Where an alert stands: `pending`, `held`, `firing` or `recovering`.
    AlertStanding(automation::AlertStanding), automation::AlertStanding::ALL.iter().copied()
}

named! {
    /// Why an alert is resolved: `recovered`, `removed` or `rule_ended`.
    Resolution(automation::Resolution), automation::Resolution::ALL.iter().copied()
}

named! {
    /// What an API token may: `satellite.read`, `satellite.manage` (implies reading), `admin`.
    Scope(ports::Scope), ports::Scope::ALL.iter().copied()
}

named! {
    /// What made a thing and keeps it: `gitops`.
    Manager(groundcontrol_core::desired::Manager),
    groundcontrol_core::desired::Manager::ALL.iter().copied()
}

/// "is not one of …" for a name that nobody knows.
pub(crate) fn not_one_of(text: &str, names: &[&str]) -> String {
    format!("{text:?} is not one of {}", names.join(", "))
}

/// A point in time: RFC 3339 in UTC with milliseconds. Other offsets and precisions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub Timestamp);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-01-31T12:00:00.000Z"])
            .into()
    }
}

impl ToSchema for Instant {}

/// A token in the clear: shown once, cannot be printed, wiped when dropped. Only its
/// serialisation shows it.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// The text. Only for handing it to whom it belongs.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&Token> for Secret {
    fn from(token: &Token) -> Self {
        Self(SecretString::from(token.expose()))
    }
}

impl From<&SigningSecret> for Secret {
    fn from(secret: &SigningSecret) -> Self {
        Self(SecretString::from(secret.expose()))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::from(text)))
    }
}

impl PartialSchema for Secret {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .description(Some("Shown this once."))
            .into()
    }
}

impl ToSchema for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_survives_a_round_trip() {
        for name in Cause::names() {
            let json = format!("{name:?}");
            let read: Cause = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
        assert_eq!(Edge::names(), ["connected", "disconnected", "heartbeat_lost", "removed"]);
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_are_known() {
        let refused = serde_json::from_str::<Status>(r#""away""#).unwrap_err();
        assert!(refused.to_string().contains(r#""away" is not one of online, offline"#));
    }

    #[test]
    fn a_secret_is_shown_by_its_serialisation_only() {
        let secret = Secret::from(&Token::presented("csat_hidden"));
        assert!(!format!("{secret:?}").contains("hidden"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""csat_hidden""#);
    }
}
