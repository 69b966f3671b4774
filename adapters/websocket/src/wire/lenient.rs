//! Numbers and absences as peers really write them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use super::opaque::Opaque;

/// A whole number that may be written as `15` or `15.0`; never negative.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Whole { cut: false })
}

/// As [`integer`]; absent and `null` are none.
pub(super) fn optional_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Wrapped(#[serde(deserialize_with = "integer")] u64);
    Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(number)| number))
}

/// A number of seconds, of which a fraction is cut; never negative.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Whole { cut: true })
}

/// A field that tells absent (none) from `null` (some none).
pub(super) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// JSON that is kept as it came, `null` too; absent is none.
pub(super) fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Opaque>, D::Error> {
    Opaque::deserialize(deserializer).map(Some)
}

struct Whole {
    cut: bool,
}

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
        let whole = if self.cut { number.floor() } else { number };
        // Beyond 2⁵³ a double no longer says which whole number it is.
        if whole.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&whole) {
            Ok(whole as u64)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}
