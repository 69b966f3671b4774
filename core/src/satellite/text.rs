//! Text from people and agents, checked or cut to its limits.

use std::fmt;

use crate::limits;

/// Why a text is refused. The message completes "this field …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit.
    #[error("has {chars} characters; at most {most} are allowed")]
    TooLong {
        /// Characters found.
        chars: usize,
        /// Characters allowed.
        most: usize,
    },
    /// A control character, such as a line break or NUL.
    #[error("must not contain control characters (found U+{:04X})", *.0 as u32)]
    Control(char),
    /// More entries than the limit.
    #[error("has {count} entries; at most {most} are allowed")]
    TooMany {
        /// Entries found.
        count: usize,
        /// Entries allowed.
        most: usize,
    },
}

/// `text` if it has 1 to `most` characters, none of them a control character, and is not blank.
pub(crate) fn check(text: &str, most: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    check_value(text, most)
}

/// As [`check`], but empty is allowed.
pub(crate) fn check_value(text: &str, most: usize) -> Result<(), TextError> {
    let chars = text.chars().count();
    if chars > most {
        return Err(TextError::TooLong { chars, most });
    }
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(TextError::Control(control)),
        None => Ok(()),
    }
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                check(text, limits::MAX_NAME_CHARS)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// A satellite's name: 1–200 characters, no control characters.
    ///
    /// ```
    /// use groundcontrol_core::satellite::{Name, TextError};
    /// assert_eq!("Frankfurt 1".parse::<Name>().unwrap().as_str(), "Frankfurt 1");
    /// assert_eq!(" ".parse::<Name>(), Err(TextError::Empty));
    /// ```
    Name
}

text_newtype! {
    /// A satellite's region: 1–200 characters, no control characters.
    Region
}

/// What an agent says of itself: kept for operators, cut to its limits, never trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedAgent {
    /// The agent's version, at most 200 characters.
    pub version: Option<String>,
    /// The agent's capabilities, at most 64 of at most 200 characters.
    pub capabilities: Vec<String>,
}

impl ReportedAgent {
    /// The report after `version` and, where present, `capabilities` arrived; control characters
    /// are dropped, what exceeds a limit is cut.
    #[must_use]
    pub fn updated(&self, version: Option<&str>, capabilities: Option<&[String]>) -> Self {
        Self {
            version: match version {
                Some(version) => Some(clean(version, limits::MAX_VERSION_CHARS)),
                None => self.version.clone(),
            },
            capabilities: match capabilities {
                Some(list) => list
                    .iter()
                    .take(limits::MAX_CAPABILITIES)
                    .map(|text| clean(text, limits::MAX_CAPABILITY_CHARS))
                    .collect(),
                None => self.capabilities.clone(),
            },
        }
    }
}

/// `text` without its control characters, cut to `most` characters.
pub(crate) fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_its_limit_is_taken_and_one_beyond_is_refused() {
        assert!("é".repeat(200).parse::<Name>().is_ok());
        assert_eq!(
            "é".repeat(201).parse::<Name>(),
            Err(TextError::TooLong { chars: 201, most: 200 })
        );
    }

    #[test]
    fn control_characters_are_refused_by_name() {
        let refused = "a\u{0}b".parse::<Name>().unwrap_err();
        assert_eq!(refused.to_string(), "must not contain control characters (found U+0000)");
    }

    #[test]
    fn a_report_is_cut_not_refused() {
        let report = ReportedAgent::default()
            .updated(Some(&format!("1.0\n{}", "x".repeat(300))), Some(&vec!["a".into(); 99]));
        assert_eq!(report.version.as_deref().map(str::len), Some(200));
        assert_eq!(report.capabilities.len(), 64);
        assert_eq!(report.updated(None, None), report);
    }
}
