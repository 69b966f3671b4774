//! What the stream keeps of a job, as text.

use groundcontrol_core::time::{Millis, Timestamp};

/// The last message of a job. What is missing is the message's own time, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A member has the run.
    Held {
        /// Which claim it was.
        token: u64,
        /// For how long from the message on.
        lease: Millis,
        /// When it was claimed; none where this message is the claim.
        claimed_at: Option<Timestamp>,
    },
    /// The run is done.
    Done {
        /// When the next is due.
        due: Timestamp,
    },
}

impl Record {
    /// When the job may be claimed, if the message was stamped `at`.
    pub(crate) fn free_at(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Held { lease, .. } => at + lease,
            Self::Done { due } => due,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Held { token, lease, claimed_at: None } => {
                format!("held {token} {}", lease.get())
            }
            Self::Held { token, lease, claimed_at: Some(at) } => {
                format!("held {token} {} {}", lease.get(), at.as_millis())
            }
            Self::Done { due } => format!("done {}", due.as_millis()),
        }
    }

    /// The record in a message; none where it is something else.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let words: Vec<_> = std::str::from_utf8(payload).ok()?.split(' ').collect();
        let span = |text: &str| text.parse().ok().map(Millis::new);
        let time = |text: &str| text.parse().ok().map(Timestamp::from_millis);
        match words.as_slice() {
            ["held", token, lease] => {
                let (token, lease) = (token.parse().ok()?, span(lease)?);
                Some(Self::Held { token, lease, claimed_at: None })
            }
            ["held", token, lease, at] => {
                let (token, lease) = (token.parse().ok()?, span(lease)?);
                Some(Self::Held { token, lease, claimed_at: Some(time(at)?) })
            }
            ["done", due] => Some(Self::Done { due: time(due)? }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_text_and_nothing_else_is_one() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let lease = Millis::new(5_000);
        for record in [
            Record::Held { token: u64::MAX, lease, claimed_at: None },
            Record::Held { token: 0, lease, claimed_at: Some(at) },
            Record::Done { due: at },
        ] {
            assert_eq!(Record::parse(record.text().as_bytes()), Some(record));
        }
        for other in ["", "held", "held 1", "held 1 x", "done", "done x", "done 1 2", "gone 1"] {
            assert_eq!(Record::parse(other.as_bytes()), None, "{other:?}");
        }
        assert_eq!(Record::parse(&[0xff]), None);
    }
}
