//! Short texts from people, files and headers.

use std::collections::BTreeSet;

use groundcontrol_core::assignment::{
    Assigned, Check, CheckId, Collector, Collectors, Configuration, Interval, Json, System,
    SystemId, TagExpression, Value,
};
use groundcontrol_core::limits::MAX_WAITING_NUDGES;
use groundcontrol_core::ports::{EventCursor, Nudge, WaitingNudges, nudges_in};
use groundcontrol_core::satellite::{Name, ReportedAgent, TokenHash};
use groundcontrol_core::secrets::{Piece, RunPlace, SecretValue, has_reference, pieces};
use groundcontrol_core::time::Timestamp;
use uuid::Uuid;

/// Bytes as a timestamp, a cursor, a stored hash, an expression over tags, a name, an agent's
/// version, a template or what another pod sent never panic, and what is understood survives a round trip.
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
    secrets(text);
}

/// The pieces of a text are all of it, in order, and a text with values in the places of its
/// references holds the rest to the letter, whatever the values look like.
fn secrets(text: &str) {
    const VALUE: &str = "${{ secrets.a }}";
    let (mut expected, mut names) = (String::new(), BTreeSet::new());
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) => expected.push_str(literal),
            Piece::Secret(name) => {
                expected.push_str(VALUE);
                names.insert(name.to_owned());
            }
        }
    }
    assert_eq!(has_reference(text), !names.is_empty());
    let id = Uuid::from_u128(1);
    let Some(told) = told(id) else { return };
    let env = vec![("A".to_owned(), Value::Text(text.to_owned()))];
    let settings = Value::Object(vec![("secretEnv".to_owned(), Value::Object(env))]);
    let read = |_: &Json| Some(settings.clone());
    let Ok(place) = RunPlace::find(Some(&told), &id.to_string(), "k", &read) else { return };
    let found: BTreeSet<_> = place.names().iter().map(ToString::to_string).collect();
    assert_eq!(found, names);
    let values = place.names().iter().map(|name| (name.clone(), SecretValue::new(VALUE)));
    let composed = place.compose(&values.collect());
    if let Ok(env) = composed {
        assert_eq!(env["A"].expose(), expected);
    }
}

/// Check `id` with one collector, `k`.
fn told(id: Uuid) -> Option<Configuration> {
    let created_at = Timestamp::from_millis(0);
    let collector = Collector {
        id: "k".to_owned(),
        collector_id: "k".to_owned(),
        config: Json::empty_object(),
        assertions: Vec::new(),
    };
    let check = Check {
        id: CheckId(id),
        name: "c".parse().ok()?,
        strategy: "s".parse().ok()?,
        config: Json::empty_object(),
        collectors: Collectors::new(vec![collector]).ok()?,
        interval: Interval::new(60).ok()?,
        managed_by: None,
        created_at,
    };
    let metadata = Json::empty_object();
    let system = System {
        id: SystemId(id),
        name: "s".parse().ok()?,
        metadata,
        managed_by: None,
        created_at,
    };
    Some(Configuration::new(vec![Assigned { check: check.into(), system: system.into() }]))
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
