//! What Ground Control says that happened: recorded transitions and delivered events.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::account::Moment;

/// One recorded transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its number.
    pub seq: u64,
    /// Of which session.
    pub epoch: u64,
    /// Which edge, such as `connected`.
    pub event: String,
    /// Why.
    pub cause: Option<String>,
    /// When it was recorded.
    pub at: Moment,
    /// Which pod recorded it.
    pub pod: String,
    /// The state before; null before the first.
    pub previous: Value,
    /// The state after; null for a removal.
    pub next: Value,
}

/// One event that a stream delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Whose.
    pub satellite: String,
    /// Its number.
    pub seq: u64,
    /// Of which session.
    pub epoch: u64,
    /// Its type, such as `satellite.connected`.
    pub kind: String,
    /// Why.
    pub cause: Option<String>,
    /// When it was recorded.
    pub at: Moment,
}

impl Transition {
    /// A transition as the API shows it.
    pub fn read(shown: &Value) -> Self {
        Self {
            seq: number(shown, "seq"),
            epoch: number(shown, "epoch"),
            event: text(shown, "event").unwrap_or_default(),
            cause: text(shown, "cause"),
            at: moment(&shown["occurredAt"]).unwrap_or_default(),
            pod: text(shown, "pod").unwrap_or_default(),
            previous: shown["previous"].clone(),
            next: shown["next"].clone(),
        }
    }

    /// Whether it opens a session.
    pub fn opens(&self) -> bool {
        matches!(self.cause.as_deref(), Some("authenticated" | "took_over"))
    }

    /// Whether it is this edge.
    pub fn is(&self, event: &str) -> bool {
        self.event == event
    }

    /// When the satellite was last heard, by the state after.
    pub fn last_seen(&self) -> Option<Moment> {
        moment(&self.next["lastSeenAt"])
    }
}

impl Delivered {
    /// An event as a stream shows it.
    pub fn read(shown: &Value) -> Self {
        Self {
            satellite: text(shown, "contextkey").unwrap_or_default(),
            seq: number(shown, "seq"),
            epoch: number(shown, "epoch"),
            kind: text(shown, "type").unwrap_or_default(),
            cause: text(shown, "cause"),
            at: moment(&shown["time"]).unwrap_or_default(),
        }
    }
}

fn number(shown: &Value, field: &str) -> u64 {
    shown[field].as_u64().unwrap_or_default()
}

fn text(shown: &Value, field: &str) -> Option<String> {
    shown[field].as_str().map(str::to_owned)
}

fn moment(shown: &Value) -> Option<Moment> {
    let time = OffsetDateTime::parse(shown.as_str()?, &Rfc3339).ok()?;
    Moment::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}
