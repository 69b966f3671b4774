//! Short texts from people, files and headers.

use std::collections::BTreeSet;

use groundcontrol_core::assignment::TagExpression;
use groundcontrol_core::limits::MAX_WAITING_NUDGES;
use groundcontrol_core::ports::{EventCursor, Nudge, WaitingNudges, nudges_in};
use groundcontrol_core::satellite::{Name, ReportedAgent, TokenHash};
use groundcontrol_core::time::Timestamp;

/// Bytes as a timestamp, a cursor, a stored hash, an expression over tags, a name, an agent's
/// version or what another pod sent never panic, and what is understood survives a round trip.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(at) = text.parse::<Timestamp>() {
        assert_eq!(at.to_string().parse(), Ok(at));
    }
    if let Ok(cursor) = text.parse::<EventCursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    if let Ok(hash) = TokenHash::from_stored(text) {
        assert_eq!(TokenHash::from_stored(&hash.to_stored()), Ok(hash));
    }
    match text.parse::<TagExpression>() {
        Ok(expression) => assert_eq!(expression.to_string().parse(), Ok(expression)),
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.at), "{error}"),
    }
    if let Ok(name) = text.parse::<Name>() {
        assert!(!name.as_str().chars().any(char::is_control));
    }
    let agent = ReportedAgent::default().updated(Some(text), Some(&[text.to_owned()]));
    assert_eq!(agent.updated(agent.version.as_deref(), Some(&agent.capabilities)), agent);
    nudges(text);
}

/// What another pod sent is understood, or told as missed, and can be sent on.
fn nudges(text: &str) {
    let heard: BTreeSet<Nudge> = nudges_in(text).collect();
    assert_eq!(heard.is_empty(), text.is_empty());
    let mut waiting = WaitingNudges::default();
    let all_fit = heard.iter().all(|nudge| waiting.push(*nudge));
    assert_eq!(all_fit, heard.len() <= MAX_WAITING_NUDGES);
    let again: BTreeSet<Nudge> = nudges_in(&waiting.take_text()).collect();
    assert!(waiting.is_empty());
    assert!(!all_fit || again == heard, "{heard:?} became {again:?}");
}
