//! What webhooks are told of alerts, as it is kept with the delivery: JSON.

use groundcontrol_core::automation::{
    AlertCall, AlertId, AlertKind, AlertNotice, AlertSubject, Resolution, RuleId,
};
use groundcontrol_core::connection::{ContextId, EventKind};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::json;
use crate::error::Failure;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    alert: Uuid,
    rule: Uuid,
    rule_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    satellite: Option<Uuid>,
    name: String,
    region: String,
    event: String,
    since: i64,
    call: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    at: i64,
}

/// `notice` as text.
pub(crate) fn write(notice: &AlertNotice) -> Result<String, Failure> {
    let resolution = match notice.call {
        AlertCall::Firing => None,
        AlertCall::Resolved(why) => Some(why.name().to_owned()),
    };
    json(&Stored {
        alert: notice.alert.0.0,
        rule: notice.rule.0,
        rule_name: notice.rule_name.to_string(),
        satellite: notice.subject.satellite().map(|id| id.0),
        name: notice.subject.name().to_owned(),
        region: notice.subject.region().to_string(),
        event: notice.event.name().to_owned(),
        since: notice.since.as_millis(),
        call: notice.call.kind().name().to_owned(),
        resolution,
        at: notice.at.as_millis(),
    })
}

/// What `text` says.
pub(crate) fn read(text: &str) -> Result<AlertNotice, Failure> {
    let nonsense = |why: String| Failure::Corrupt(format!("alert of a delivery: {why}"));
    let stored: Stored = serde_json::from_str(text).map_err(|why| nonsense(why.to_string()))?;
    let resolution = stored.resolution.as_deref().and_then(Resolution::from_name);
    let call = match (AlertKind::from_name(&stored.call), resolution) {
        (Some(AlertKind::Firing), _) => AlertCall::Firing,
        (Some(AlertKind::Resolved), Some(why)) => AlertCall::Resolved(why),
        (_, _) => return Err(nonsense(format!("{text} tells nothing that is known"))),
    };
    let event = EventKind::from_name(&stored.event)
        .ok_or_else(|| nonsense(format!("{:?} is not known", stored.event)))?;
    Ok(AlertNotice {
        alert: AlertId(ContextId(stored.alert)),
        rule: RuleId(stored.rule),
        rule_name: stored.rule_name.parse().map_err(|why| nonsense(format!("{why}")))?,
        subject: subject(stored.satellite, &stored.name, &stored.region).map_err(nonsense)?,
        event,
        since: Timestamp::from_millis(stored.since),
        call,
        at: Timestamp::from_millis(stored.at),
    })
}

/// What an alert is about, of its parts; a region where there is no satellite.
pub(crate) fn subject(
    satellite: Option<Uuid>,
    name: &str,
    region: &str,
) -> Result<AlertSubject, String> {
    let region = region.parse().map_err(|why| format!("region {region:?} {why}"))?;
    let Some(id) = satellite else { return Ok(AlertSubject::Region(region)) };
    let name = name.parse().map_err(|why| format!("name {name:?} {why}"))?;
    Ok(AlertSubject::Satellite { id: SatelliteId(id), name, region })
}
