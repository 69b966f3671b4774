//! Short texts from people, files and headers.

use groundcontrol_core::assignment::TagExpression;
use groundcontrol_core::ports::EventCursor;
use groundcontrol_core::satellite::{Name, ReportedAgent, TokenHash};
use groundcontrol_core::time::Timestamp;

/// Bytes as a timestamp, a cursor, a stored hash, an expression over tags, a name or an agent's
/// version never panic, and
/// what is understood survives a round trip.
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
}
