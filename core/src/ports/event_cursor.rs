//! The place of an event in the order of all events.

use std::fmt;

use crate::connection::{Recorded, Transition};

/// A place in the order of all events. Opaque but for its text, which survives a round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCursor {
    /// The store's unit of commit, where it has one that orders; otherwise 0.
    pub commit: u64,
    /// The place within it.
    pub position: u64,
}

/// What was recorded, in the order of all events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place.
    pub cursor: EventCursor,
    /// What was recorded.
    pub recorded: Recorded,
}

impl RecordedEvent {
    /// A transition at `cursor`.
    pub fn of(cursor: EventCursor, transition: Transition) -> Self {
        Self { cursor, recorded: Recorded::Transition(transition) }
    }
}

/// The text is no event cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event id that this server gave out")]
pub struct NotACursor;

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.commit, self.position)
    }
}

impl std::str::FromStr for EventCursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (commit, position) = text.split_once('-').ok_or(NotACursor)?;
        let number = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse().map_err(|_| NotACursor),
            false => Err(NotACursor),
        };
        Ok(Self { commit: number(commit)?, position: number(position)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = EventCursor { commit: 7, position: u64::MAX };
        assert_eq!(cursor.to_string(), "7-18446744073709551615");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn text_that_no_cursor_has_is_refused() {
        for text in ["", "7", "7-", "-7", "7-x", "+7-1", "7--1", "7-18446744073709551616", "7-1 "] {
            assert_eq!(text.parse::<EventCursor>(), Err(NotACursor), "{text:?}");
        }
    }
}
