//! Durations as people write them.

use std::str::FromStr;
use std::time::Duration;

use groundcontrol_core::time::Millis;
use serde::Deserialize;

/// A duration as people write it: `15s`, `200ms`, `7days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Millis);

impl FromStr for Span {
    type Err = humantime::DurationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(|span: Duration| Self(span.into()))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
