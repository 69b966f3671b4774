//! Settings as people and programs really write them.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::Value;

use super::error::ProbeError;

/// The shortest time-out that a check may have.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
/// The longest one: an interval is at most a day.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Reads settings. The error names the field.
pub(crate) fn read<'de, T: Deserialize<'de>>(config: &'de Value) -> Result<T, ProbeError> {
    serde_path_to_error::deserialize(config).map_err(|error| {
        let path = error.path().to_string();
        let why = error.inner();
        ProbeError::Config(if path == "." { why.to_string() } else { format!("{path}: {why}") })
    })
}

/// A time-out, written in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) Duration);

impl Timeout {
    pub(crate) const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = deserializer.deserialize_any(Whole)?;
        let timeout = Duration::from_millis(millis);
        if timeout < MIN_TIMEOUT || timeout > MAX_TIMEOUT {
            let range = "100 to 86,400,000 milliseconds";
            return Err(D::Error::invalid_value(Unexpected::Unsigned(millis), &range));
        }
        Ok(Self(timeout))
    }
}

/// A port other than 0.
pub(crate) fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = deserializer.deserialize_any(Whole)?;
    u16::try_from(number).ok().filter(|&port| port > 0).ok_or_else(|| {
        D::Error::invalid_value(Unexpected::Unsigned(number), &"a port from 1 to 65,535")
    })
}

/// A whole number, written as `5`, `5.0` or `"5"`.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Whole)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        // Beyond 2⁵³ a double no longer says which whole number it is.
        if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number) {
            Ok(number as u64)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Target {
        host: String,
        #[serde(deserialize_with = "port")]
        port: u16,
        timeout: Option<Timeout>,
    }

    fn wrong(config: Value) -> String {
        read::<Target>(&config).unwrap_err().to_string()
    }

    #[test]
    fn numbers_may_be_written_as_fractions_or_text() {
        for port in [json!(80), json!(80.0), json!("80")] {
            let target: Target = read(&json!({"host": "h", "port": port, "more": 1})).unwrap();
            assert_eq!((target.host.as_str(), target.port, target.timeout), ("h", 80, None));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert!(wrong(json!({"port": 80})).contains("missing field `host`"));
        assert!(wrong(json!({"host": "h", "port": 0})).contains("port: invalid value"));
        assert!(wrong(json!({"host": "h", "port": 65_536})).contains("a port from 1 to 65,535"));
        assert!(wrong(json!({"host": 1, "port": 1})).contains("host: invalid type"));
        assert!(wrong(json!("text")).contains("the configuration is wrong: "));
    }

    #[test]
    fn a_time_out_is_a_tenth_of_a_second_to_a_day() {
        let timeout = |millis: Value| read::<Timeout>(&millis);
        assert_eq!(timeout(json!(100)).unwrap(), Timeout::millis(100));
        for out in [json!(99), json!(-1), json!(1.5), json!(86_400_001), json!("soon")] {
            assert!(timeout(out.clone()).is_err(), "{out}");
        }
    }
}
