//! JSON that is kept and passed on, and not looked into.

use std::fmt;
use std::sync::Arc;

/// One JSON value as the text that it came as: spacing, order and spelling of numbers included.
/// The core never reads it; whoever makes one promises that it is valid. Printing it shows its
/// size only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// The JSON in `text`, which the caller has found to be valid.
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// An object without members.
    pub fn empty_object() -> Self {
        Self::trusted("{}")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Json {
    /// An empty object.
    fn default() -> Self {
        Self::empty_object()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_tells_the_size_and_nothing_else() {
        assert_eq!(format!("{:?}", Json::trusted(r#"{"password":1}"#)), "Json(14 bytes)");
    }
}
