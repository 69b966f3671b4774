//! The cases of [`EventSink`].

use async_trait::async_trait;
use uuid::Uuid;

use super::Fixture;
use super::runner::{Case, Fault, Seen};
use crate::connection::{Cause, ConnectionState, Event, EventKind, LifecycleEvent, RegionLoss};
use crate::connection::{SatelliteEvent, Status};
use crate::ports::{EventCursor, EventSink, SinkEvent};
use crate::satellite::{Epoch, PodName, SatelliteId, Seq};
use crate::time::{Millis, Timestamp};

/// A sink, and what arrived on its other side.
#[async_trait]
pub trait SinkAdapter: EventSink {
    /// The ids of all events that arrived so far, in the order in which they did, those that came
    /// twice twice. Waits until at least `count` did, or gives up.
    async fn arrived(&self, count: usize) -> Vec<String>;
}

pub(super) fn cases() -> Vec<Case<dyn SinkAdapter>> {
    cases![
        "take" what_was_taken_has_arrived_in_its_order,
        "take" pages_follow_one_another,
        "take" an_event_of_every_kind_arrives,
        "take" what_is_given_again_arrives_again_or_is_known,
        "take" nothing_is_taken_as_nothing,
        "name" the_name_stays,
    ]
}

type Bench = Fixture<dyn SinkAdapter>;

fn event(position: u64) -> Seen<SinkEvent> {
    let state = ConnectionState {
        status: Status::Online,
        name: "satellite \"one\"".parse().map_err(|why| Fault::Seen(format!("{why}")))?,
        region: "eu".parse().map_err(|why| Fault::Seen(format!("{why}")))?,
        last_seen_at: Some(Timestamp::from_millis(5)),
        last_event: Some(LifecycleEvent::Connected),
        last_event_at: Some(Timestamp::from_millis(5)),
        cause: Some(Cause::Authenticated),
        seq: Seq(position),
        epoch: Epoch(1),
    };
    let satellite = SatelliteId(Uuid::from_u128(u128::from(position % 3)));
    Ok(SinkEvent {
        cursor: EventCursor { commit: 0, position },
        event: Event::Satellite(SatelliteEvent {
            id: format!("{satellite}:{position}"),
            kind: EventKind::Connected,
            satellite,
            seq: Seq(position),
            epoch: Epoch(1),
            occurred_at: Timestamp::from_millis(5),
            cause: Some(Cause::Authenticated),
            actor: None,
            previous: None,
            next: Some(state),
        }),
    })
}

fn page(from: u64, to: u64) -> Seen<Vec<SinkEvent>> {
    (from..to).map(event).collect()
}

fn ids(events: &[SinkEvent]) -> Vec<String> {
    events.iter().map(|one| one.event.id()).collect()
}

async fn take(bench: &Bench, events: &[SinkEvent]) -> Seen {
    bench.handle(0).take(events).await.map_err(|why| Fault::Seen(why.to_string()))
}

async fn what_was_taken_has_arrived_in_its_order(bench: &Bench) -> Seen {
    let events = page(1, 501)?;
    take(bench, &events).await?;
    same!(bench.handle(0).arrived(500).await, ids(&events), "what arrived");
    Ok(())
}

async fn pages_follow_one_another(bench: &Bench) -> Seen {
    for start in [1, 4, 5] {
        take(bench, &page(start, if start == 4 { 5 } else { start + 3 })?).await?;
    }
    same!(bench.handle(0).arrived(7).await, ids(&page(1, 8)?), "what arrived");
    Ok(())
}

async fn an_event_of_every_kind_arrives(bench: &Bench) -> Seen {
    let mut events = Vec::new();
    for (kind, position) in EventKind::ALL.iter().zip(1..) {
        let mut one = event(position)?;
        match (&mut one.event, kind) {
            (_, EventKind::RegionLossSuspected) => {
                one.event = Event::RegionLoss(RegionLoss {
                    region: "eu".parse().map_err(|why| Fault::Seen(format!("{why}")))?,
                    seq: Seq(1),
                    since: Timestamp::from_millis(1),
                    occurred_at: Timestamp::from_millis(2),
                    lost: 3,
                    total: 4,
                    window: Millis::from_secs(60),
                    pod: PodName::new("pod"),
                });
            }
            (Event::Satellite(event), EventKind::Removed) => {
                (event.kind, event.cause) = (EventKind::Removed, None);
                event.previous = event.next.take();
            }
            (Event::Satellite(event), kind) => event.kind = *kind,
            (Event::RegionLoss(_), _) => {}
        }
        events.push(one);
    }
    take(bench, &events).await?;
    same!(bench.handle(0).arrived(events.len()).await, ids(&events), "what arrived");
    Ok(())
}

async fn what_is_given_again_arrives_again_or_is_known(bench: &Bench) -> Seen {
    let events = page(1, 4)?;
    take(bench, &events).await?;
    take(bench, &events).await?;
    let last = page(4, 5)?;
    take(bench, &last).await?;
    let once: Vec<String> = ids(&events).into_iter().chain(ids(&last)).collect();
    let twice: Vec<String> = ids(&events).into_iter().chain(once.clone()).collect();
    let mut arrived = bench.handle(0).arrived(once.len()).await;
    while !arrived.ends_with(&once[3..]) {
        let more = bench.handle(0).arrived(arrived.len() + 1).await;
        ensure!(more.len() > arrived.len(), "after {arrived:?} nothing more arrived");
        arrived = more;
    }
    ensure!(arrived == once || arrived == twice, "what arrived is {arrived:?}");
    Ok(())
}

async fn nothing_is_taken_as_nothing(bench: &Bench) -> Seen {
    take(bench, &[]).await?;
    same!(bench.handle(0).arrived(0).await, Vec::<String>::new(), "what arrived");
    Ok(())
}

async fn the_name_stays(bench: &Bench) -> Seen {
    let before = bench.handle(0).name();
    take(bench, &page(1, 2)?).await?;
    same!(bench.handle(0).name(), before, "the name");
    ensure!(!before.as_str().is_empty(), "the name is empty");
    Ok(())
}
