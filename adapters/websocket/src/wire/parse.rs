//! From text to a message, by its `type`.

use std::borrow::Cow;

use serde::Deserialize;

/// Characters of an unknown `type` that are kept for the log.
const MAX_TYPE_CHARS: usize = 64;

/// Why a text is no message. Never shows what the text says, apart from its `type`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A message of another version.
    #[error("unknown message type {0:?}")]
    UnknownType(
        /// The `type`, cut to 64 characters.
        String,
    ),
    /// Not JSON, not an object, or without a `type`.
    #[error("not a message: no JSON object with a type (line {line}, column {column})")]
    NoMessage {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, from 1.
        column: usize,
    },
    /// A field is missing or of the wrong type.
    #[error(
        "message of type {kind} with a missing or wrong-typed field (line {line}, column {column})"
    )]
    Malformed {
        /// The `type`.
        kind: &'static str,
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, from 1.
        column: usize,
    },
}

#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// The `type` of the message in `text`.
pub(super) fn kind(text: &str) -> Result<Cow<'_, str>, ParseError> {
    match serde_json::from_str::<Tagged<'_>>(text) {
        Ok(tagged) => Ok(tagged.kind),
        Err(error) => Err(ParseError::NoMessage { line: error.line(), column: error.column() }),
    }
}

/// The fields of a message whose `type` is `kind`.
pub(super) fn body<'a, T: Deserialize<'a>>(
    kind: &'static str,
    text: &'a str,
) -> Result<T, ParseError> {
    serde_json::from_str(text).map_err(|error| ParseError::Malformed {
        kind,
        line: error.line(),
        column: error.column(),
    })
}

pub(super) fn unknown(kind: &str) -> ParseError {
    ParseError::UnknownType(kind.chars().take(MAX_TYPE_CHARS).collect())
}

/// An enum of messages, each with the `type` that announces it.
macro_rules! messages {
    (
        $(#[$doc:meta])*
        $name:ident $(<$life:lifetime>)? {
            $($(#[$variant_doc:meta])* $variant:ident($body:ty) = $kind:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "type")]
        pub enum $name $(<$life>)? {
            $(
                $(#[$variant_doc])*
                #[serde(rename = $kind)]
                $variant($body),
            )*
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Every `type`, in the order of the variants.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// Reads one message.
            pub fn parse(text: messages!(@text $($life)?)) -> Result<Self, $crate::wire::ParseError> {
                match &*$crate::wire::parse::kind(text)? {
                    $($kind => $crate::wire::parse::body($kind, text).map(Self::$variant),)*
                    other => Err($crate::wire::parse::unknown(other)),
                }
            }

            /// Its `type`.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                }
            }

            /// The message as JSON.
            pub fn to_text(&self) -> String {
                // Every field is a string, a number, a list or a map with text for keys.
                serde_json::to_string(self).unwrap_or_default()
            }
        }
    };
    (@text $life:lifetime) => { &$life str };
    (@text) => { &str };
}

pub(super) use messages;
