//! An event that never happened, for trying a webhook.

use groundcontrol_core::automation::{Notice, Webhook};
use groundcontrol_core::connection::{
    Cause, ConnectionState, Event, EventKind, LifecycleEvent, SatelliteEvent, Status,
};
use groundcontrol_core::ports::FleetError;
use groundcontrol_core::satellite::{Epoch, Name, Region, SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;
use uuid::Uuid;

/// An event as `webhook` would be told of it, of a satellite that does not exist: its id is nil, and
/// the event's begins with `test:`. It is of the first type that the webhook
/// wants of satellites.
pub(super) fn sample(
    webhook: &Webhook,
    number: Uuid,
    now: Timestamp,
) -> Result<Notice, FleetError> {
    let of_satellite = |kind: &&EventKind| kind.status().is_some();
    let kind = webhook.filter.events.iter().find(of_satellite);
    let kind = kind.copied().unwrap_or(EventKind::Connected);
    let name: Name = "Sample satellite".parse().map_err(|_| FleetError::Busy)?;
    let region = match &webhook.filter.region {
        Some(region) => region.clone(),
        None => "sample".parse::<Region>().map_err(|_| FleetError::Busy)?,
    };
    let (edge, cause) = match kind {
        EventKind::Connected | EventKind::Removed | EventKind::RegionLossSuspected => {
            (LifecycleEvent::Connected, Cause::Authenticated)
        }
        EventKind::Disconnected => (LifecycleEvent::Disconnected, Cause::ClientClosed),
        EventKind::HeartbeatLost => (LifecycleEvent::HeartbeatLost, Cause::HeartbeatTimeout),
    };
    let state = ConnectionState {
        status: kind.status().unwrap_or(Status::Online),
        name,
        region,
        last_seen_at: (kind != EventKind::Disconnected).then_some(now),
        last_event: Some(edge),
        last_event_at: Some(now),
        cause: Some(cause),
        seq: Seq(1),
        epoch: Epoch(1),
    };
    let removed = kind == EventKind::Removed;
    Ok(Notice::Event(Event::Satellite(SatelliteEvent {
        id: format!("test:{}", number.hyphenated()),
        kind,
        satellite: SatelliteId(Uuid::nil()),
        seq: Seq(1),
        epoch: Epoch(1),
        occurred_at: now,
        cause: (!removed).then_some(cause),
        actor: None,
        previous: removed.then(|| state.clone()),
        next: (!removed).then_some(state),
    })))
}
