//! What the API answers, in words and rows for people.

use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_http::dto::{
    ApiToken, CloudEvent, EventData, Explanation, Satellite, Signal, Transition,
};

/// The header of a list of satellites.
pub(super) const SATELLITES: &[&str] =
    &["NAME", "REGION", "STATUS", "LAST EVENT", "LAST SEEN", "VERSION", "TAGS", "ID"];

/// A satellite as a row of a list.
pub(super) fn satellite_row(satellite: &Satellite, now: Timestamp) -> Vec<String> {
    vec![
        satellite.name.clone(),
        satellite.region.clone(),
        status(satellite),
        last_event(satellite, now),
        last_seen(satellite, now),
        satellite.version.clone().unwrap_or_default(),
        tags(satellite),
        satellite.id.to_string(),
    ]
}

/// A satellite as labelled lines.
pub(super) fn satellite_details(satellite: &Satellite, now: Timestamp) -> Vec<Vec<String>> {
    let threshold = satellite
        .offline_threshold_ms
        .map_or_else(|| "the server's default".to_owned(), |ms| Millis::new(ms).to_string());
    let lines = [
        ("name", satellite.name.clone()),
        ("id", satellite.id.to_string()),
        ("region", satellite.region.clone()),
        ("status", status(satellite)),
        ("last event", last_event(satellite, now)),
        ("last seen", last_seen(satellite, now)),
        ("version", satellite.version.clone().unwrap_or_default()),
        ("capabilities", satellite.capabilities.join(", ")),
        ("tags", tags(satellite)),
        ("offline threshold", threshold),
        ("created", satellite.created_at.to_string()),
    ];
    let said = lines.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(label, value)| vec![label.to_owned(), value]).collect()
}

/// Why a satellite is what it is, a sentence a line.
pub(super) fn explanation_lines(explanation: &Explanation) -> Vec<String> {
    let mut lines = vec![explanation.summary.clone()];
    let outlook = explanation.outlook.iter().map(|outlook| outlook.sentence.clone()).collect();
    for (title, sentences) in [
        ("Because", explanation.because.clone()),
        ("What would change it", outlook),
        ("What to do", explanation.advice.clone()),
    ] {
        if !sentences.is_empty() {
            lines.push(String::new());
            lines.push(format!("{title}:"));
            lines.extend(sentences.into_iter().map(|sentence| format!("  - {sentence}")));
        }
    }
    lines
}

/// The header of a satellite's history.
pub(super) const TRANSITIONS: &[&str] = &["SEQ", "WHEN", "EVENT", "CAUSE", "SESSION", "BY"];

/// One recorded edge as a row.
pub(super) fn transition_row(transition: &Transition) -> Vec<String> {
    let by = transition.actor.clone().or_else(|| transition.remote_address.clone());
    vec![
        transition.seq.to_string(),
        transition.occurred_at.to_string(),
        named(transition.event),
        named(transition.cause),
        transition.epoch.to_string(),
        by.unwrap_or_default(),
    ]
}

/// The header of a list of API tokens.
pub(super) const API_TOKENS: &[&str] = &["NAME", "SCOPES", "CREATED", "EXPIRES", "ID"];

/// An API token as a row.
pub(super) fn api_token_row(token: &ApiToken) -> Vec<String> {
    let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
    vec![
        token.name.clone(),
        scopes.join(", "),
        token.created_at.to_string(),
        token.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        token.id.to_string(),
    ]
}

/// An event as one line.
pub(super) fn event_line(event: &CloudEvent) -> String {
    let subject = event.subject.clone().unwrap_or_else(|| event.contextkey.clone());
    let region = match &event.data {
        EventData::Edge(edge) => format!(" ({})", edge.region),
        EventData::Removed(_) => String::new(),
        EventData::RegionLoss(loss) => format!("  {} of {} satellites", loss.lost, loss.total),
    };
    let mut line = format!("{}  {:<26}  {subject}{region}", event.time, event.kind.to_string());
    if let Some(cause) = event.cause {
        line.push_str(&format!("  {cause}"));
    }
    if let Some(actor) = &event.actor {
        line.push_str(&format!("  by {actor}"));
    }
    line
}

/// A signal as one line.
pub(super) fn signal_line(signal: &Signal, now: Timestamp) -> String {
    match signal {
        Signal::StatusChanged { satellite_id, status, name, .. } => {
            let name = name.clone().unwrap_or_else(|| satellite_id.to_string());
            format!("{now}  {:<26}  {name}  {status}", "satellite.status_changed")
        }
        Signal::ConfigChanged { satellite_id } => {
            format!("{now}  {:<26}  {satellite_id}", "satellite.config_changed")
        }
        Signal::WebhookPaused { webhook_id } => {
            format!("{now}  {:<26}  {webhook_id}", "webhook.paused")
        }
    }
}

/// How long ago something was, in at most two units.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).get() / 1_000;
    match seconds {
        0 => "just now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m {}s ago", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m ago", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h ago", seconds / 86_400, seconds / 3_600 % 24),
    }
}

fn status(satellite: &Satellite) -> String {
    match satellite.enabled {
        true => satellite.status.to_string(),
        false => format!("{} (disabled)", satellite.status),
    }
}

fn last_event(satellite: &Satellite, now: Timestamp) -> String {
    match (satellite.last_event, satellite.last_event_at) {
        (Some(event), Some(at)) => format!("{event} {}", ago(at.0, now)),
        (Some(event), None) => event.to_string(),
        (None, _) => "never connected".to_owned(),
    }
}

fn last_seen(satellite: &Satellite, now: Timestamp) -> String {
    satellite.last_seen_at.map(|at| ago(at.0, now)).unwrap_or_default()
}

fn tags(satellite: &Satellite) -> String {
    let each = satellite.tags.iter().map(|(key, value)| format!("{key}={value}"));
    each.collect::<Vec<_>>().join(" ")
}

fn named(name: Option<impl ToString>) -> String {
    name.map(|name| name.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units_and_never_negative() {
        let now = Timestamp::from_millis(1_000_000_000);
        let told = |seconds| ago(now.minus(Millis::from_secs(seconds)), now);
        assert_eq!(
            [told(0), told(59), told(61), told(3_700), told(90_000)],
            ["just now", "59s ago", "1m 1s ago", "1h 1m ago", "1d 1h ago"]
        );
        assert_eq!(ago(now + Millis::from_secs(5), now), "just now");
    }
}
