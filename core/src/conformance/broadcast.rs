//! The cases of [`Broadcast`].

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use uuid::Uuid;

use super::Fixture;
use super::runner::{Case, Seen};
use crate::automation::WebhookId;
use crate::ports::{Broadcast, Nudge, NudgeStream};
use crate::satellite::{Epoch, SatelliteId};

type Bench = Fixture<dyn Broadcast>;

/// Pods that send at once, where the fixture has as many handles.
const PODS: usize = 3;

pub(super) fn cases() -> Vec<Case<dyn Broadcast>> {
    cases![
        "reaches" every_kind_of_nudge_arrives_as_it_was_sent,
        "reaches" every_subscriber_hears_every_nudge,
        "reaches" the_pod_that_sends_hears_it_too_and_so_do_others,
        "reaches" every_kind_of_nudge_arrives_at_another_pod_as_it_was_sent,
        "reaches" what_pods_send_at_once_is_heard_by_all,
        "may lose" a_subscriber_that_falls_behind_hears_all_or_that_it_missed_some,
        "may lose" a_subscriber_that_falls_behind_another_pod_hears_all_or_that_it_missed_some,
        "may lose" sending_to_nobody_harms_nothing,
        "may lose" a_subscriber_that_went_away_harms_no_other,
    ]
}

async fn every_kind_of_nudge_arrives_as_it_was_sent(bench: &Bench) -> Seen {
    every_kind_arrives(bench, 0).await
}

async fn every_kind_of_nudge_arrives_at_another_pod_as_it_was_sent(bench: &Bench) -> Seen {
    every_kind_arrives(bench, 1).await
}

async fn every_kind_arrives(bench: &Bench, listener: usize) -> Seen {
    let broadcast = bench.handle(0);
    let mut stream = bench.handle(listener).subscribe().await;
    let (satellite, epoch) = (satellite(1), Epoch(u64::from(u32::MAX) + 7));
    let kinds = [
        Nudge::Events,
        Nudge::Connected { satellite, epoch },
        Nudge::Revoked { satellite, epoch },
        Nudge::Removed { satellite },
        Nudge::Displaced { satellite, epoch, remote: Ipv6Addr::LOCALHOST.into() },
        Nudge::ConfigChanged { satellite },
        Nudge::WorkChanged,
        Nudge::Configured { satellite },
        Nudge::PackagesChanged,
        Nudge::WebhookPaused { webhook: WebhookId(satellite.0) },
    ];
    kinds.iter().for_each(|nudge| broadcast.send(*nudge));
    hears_all(stream.as_mut(), kinds).await
}

async fn every_subscriber_hears_every_nudge(bench: &Bench) -> Seen {
    let broadcast = bench.handle(0);
    let mut streams = Vec::new();
    for pod in [0, 0, 1, 1, 2] {
        streams.push(bench.handle(pod).subscribe().await);
    }
    let nudges = numbered(50);
    nudges.iter().for_each(|nudge| broadcast.send(*nudge));
    for stream in &mut streams {
        hears_all(stream.as_mut(), nudges.iter().copied()).await?;
    }
    Ok(())
}

async fn the_pod_that_sends_hears_it_too_and_so_do_others(bench: &Bench) -> Seen {
    let pods = [bench.handle(0), bench.handle(1)];
    let mut streams = [pods[0].subscribe().await, pods[1].subscribe().await];
    for (number, pod) in pods.iter().enumerate() {
        let nudge = Nudge::Removed { satellite: satellite(number as u128) };
        pod.send(nudge);
        for stream in &mut streams {
            hears_all(stream.as_mut(), [nudge]).await?;
        }
    }
    Ok(())
}

async fn what_pods_send_at_once_is_heard_by_all(bench: &Bench) -> Seen {
    let mut streams = Vec::new();
    for pod in 0..PODS {
        streams.push(bench.handle(pod).subscribe().await);
    }
    let nudges = numbered(60);
    for (number, nudge) in nudges.iter().enumerate() {
        bench.handle(number % PODS).send(*nudge);
    }
    for stream in &mut streams {
        hears_all(stream.as_mut(), nudges.iter().copied()).await?;
    }
    Ok(())
}

async fn a_subscriber_that_falls_behind_hears_all_or_that_it_missed_some(bench: &Bench) -> Seen {
    falls_behind(bench, 0).await
}

async fn a_subscriber_that_falls_behind_another_pod_hears_all_or_that_it_missed_some(
    bench: &Bench,
) -> Seen {
    falls_behind(bench, 1).await
}

async fn falls_behind(bench: &Bench, listener: usize) -> Seen {
    let broadcast = bench.handle(0);
    let mut stream = bench.handle(listener).subscribe().await;
    let mut awaited: BTreeSet<_> = (0..100_000).map(satellite).collect();
    awaited.iter().for_each(|satellite| broadcast.send(Nudge::Removed { satellite: *satellite }));
    while !awaited.is_empty() {
        match stream.next().await {
            Some(Nudge::Missed) => return Ok(()),
            Some(Nudge::Removed { satellite }) => awaited.remove(&satellite),
            other => {
                ensure!(false, "{other:?}, which nobody sent");
                false
            }
        };
    }
    Ok(())
}

async fn sending_to_nobody_harms_nothing(bench: &Bench) -> Seen {
    let broadcast = bench.handle(0);
    numbered(10).iter().for_each(|nudge| broadcast.send(*nudge));
    let mut stream = broadcast.subscribe().await;
    broadcast.send(Nudge::Events);
    hears_all(stream.as_mut(), [Nudge::Events]).await
}

async fn a_subscriber_that_went_away_harms_no_other(bench: &Bench) -> Seen {
    let broadcast = bench.handle(0);
    let gone = broadcast.subscribe().await;
    let mut stays = broadcast.subscribe().await;
    drop(gone);
    let nudges = numbered(50);
    nudges.iter().for_each(|nudge| broadcast.send(*nudge));
    hears_all(stays.as_mut(), nudges).await
}

/// Reads until all of `awaited` were heard, in any order and as often as they come. So few are
/// awaited at once that none may be missed.
async fn hears_all(stream: &mut dyn NudgeStream, awaited: impl IntoIterator<Item = Nudge>) -> Seen {
    let mut awaited: Vec<_> = awaited.into_iter().collect();
    while !awaited.is_empty() {
        let heard = stream.next().await;
        let Some(nudge) = heard else {
            ensure!(false, "the end of the stream, with {} nudges to come", awaited.len());
            break;
        };
        ensure!(nudge != Nudge::Missed, "Missed, with {} nudges to come", awaited.len());
        awaited.retain(|expected| *expected != nudge);
    }
    Ok(())
}

fn numbered(count: u128) -> Vec<Nudge> {
    (0..count).map(|number| Nudge::ConfigChanged { satellite: satellite(number) }).collect()
}

fn satellite(number: u128) -> SatelliteId {
    SatelliteId(Uuid::from_u128(number))
}
