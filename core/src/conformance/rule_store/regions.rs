//! The cases of regions.

use super::bench::*;
use crate::automation::{Alert, AlertState, AlertSubject, RegionCount};
use crate::conformance::RuleAdapter;
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Event, Recorded};
use crate::ports::{CredentialAction, CredentialChange, RegionStanding, RuleAdvance, WriteOutcome};
use crate::satellite::{Region, Seq};

pub(super) fn cases() -> Vec<Case<dyn RuleAdapter>> {
    cases![
        "regions" who_is_connected_and_who_was_lost_since_is_counted,
        "regions" whose_socket_was_given_up_is_lost_still,
        "regions" whoever_is_disabled_does_not_count,
        "regions" a_loss_is_an_event_among_all_others,
        "regions" a_loss_is_known_until_the_region_has_recovered,
        "regions" what_is_held_is_found_by_its_region,
    ]
}

async fn counts(bench: &Bench, asked: &[(&str, u64)]) -> Seen<Vec<(String, u64, u64, bool)>> {
    let asked: Vec<_> = asked
        .iter()
        .map(|(region, since)| Ok((parsed::<Region>(region)?, at(*since))))
        .collect::<Seen<_>>()?;
    let mut found = bench.handle(1).region_counts(&asked).await?;
    found.sort_by(|a, b| a.region.cmp(&b.region));
    let told = |count: RegionCount| {
        (count.region.to_string(), count.connected, count.lost, count.since == Some(at(100)))
    };
    Ok(found.into_iter().map(told).collect())
}

async fn who_is_connected_and_who_was_lost_since_is_counted(bench: &Bench) -> Seen {
    for (number, region) in [(1, "eu"), (2, "eu"), (3, "eu"), (4, "us"), (5, "us"), (6, "ap")] {
        satellite(bench, number, region).await?;
        if number < 6 {
            connect(bench, number, 0).await?;
        }
    }
    lose(bench, 1, 100).await?;
    lose(bench, 2, 101).await?;
    let all = counts(bench, &[("eu", 100), ("us", 0), ("ap", 0), ("none", 0)]).await?;
    let expected = [("eu".to_owned(), 1, 2, true), ("us".to_owned(), 2, 0, false)];
    same!(all, expected, "the counts");
    let later = counts(bench, &[("eu", 101)]).await?;
    same!(later, [("eu".to_owned(), 1, 1, false)], "the counts since a later moment");
    connect(bench, 1, 110).await?;
    let back = counts(bench, &[("eu", 0)]).await?;
    same!(back, [("eu".to_owned(), 2, 1, false)], "the counts after one is back");
    same!(counts(bench, &[]).await?, [], "the counts of no region");
    Ok(())
}

async fn whose_socket_was_given_up_is_lost_still(bench: &Bench) -> Seen {
    for number in [1, 2] {
        satellite(bench, number, "eu").await?;
        connect(bench, number, 0).await?;
    }
    lose(bench, 1, 100).await?;
    give_up(bench, 1, 145).await?;
    let after = counts(bench, &[("eu", 100)]).await?;
    same!(after, [("eu".to_owned(), 1, 1, false)], "the counts");
    same!(counts(bench, &[("eu", 146)]).await?, [("eu".to_owned(), 1, 0, false)], "those later");
    Ok(())
}

async fn whoever_is_disabled_does_not_count(bench: &Bench) -> Seen {
    for number in [1, 2] {
        satellite(bench, number, "eu").await?;
        connect(bench, number, 0).await?;
    }
    lose(bench, 1, 100).await?;
    let store = bench.handle(0);
    let Some(read) = store.snapshot(satellite_id(1)).await? else { return Ok(()) };
    let origin = crate::connection::Origin {
        pod: crate::satellite::PodName::new("pod"),
        actor: None,
        remote_address: None,
    };
    let action = CredentialAction::SetEnabled(false);
    let change = CredentialChange { read, action, edge: None, origin, now: at(102) };
    same!(store.change_credentials(change).await?, WriteOutcome::Applied, "the change");
    let after = counts(bench, &[("eu", 0)]).await?;
    same!(after, [("eu".to_owned(), 1, 0, false)], "the counts");
    Ok(())
}

async fn a_loss_is_an_event_among_all_others(bench: &Bench) -> Seen {
    satellite(bench, 1, "eu").await?;
    connect(bench, 1, 0).await?;
    let loss = region_loss("eu \"north\"", 1)?;
    let step = RuleAdvance { lost: vec![loss.clone()], ..step(bench).await? };
    advance(bench, step).await?;
    connect(bench, 1, 1).await?;
    let events = bench.handle(1).events_after(None, 9).await?;
    same!(events.len(), 3, "the events");
    same!(events[1].recorded, Recorded::RegionLoss(loss.clone()), "the one between");
    ensure!(events.is_sorted_by(|a, b| a.cursor < b.cursor), "cursors that do not ascend");
    same!(Event::derive(&events[1].recorded), Some(Event::RegionLoss(loss)), "what it derives");
    let newest = bench.handle(1).newest_event().await?;
    same!(newest, events.last().map(|last| last.cursor), "the newest event");
    let history = bench.handle(1).transitions(satellite_id(1), None, 9).await?;
    same!(history.len(), 2, "the satellite's own history");
    same!(bench.handle(0).prune_transitions(at(10), 9).await?, 3, "what is deleted with age");
    Ok(())
}

async fn a_loss_is_known_until_the_region_has_recovered(bench: &Bench) -> Seen {
    let lost = vec![region_loss("eu", 1)?, region_loss("us", 1)?];
    let first = RuleAdvance { lost, ..step(bench).await? };
    advance(bench, first).await?;
    let known = async |asked: &[&str]| -> Seen<Vec<RegionStanding>> {
        let asked = asked.iter().map(|region| parsed(region)).collect::<Seen<Vec<Region>>>()?;
        let mut found = bench.handle(1).region_losses(&asked).await?;
        found.sort_by(|a, b| a.region.cmp(&b.region));
        Ok(found)
    };
    let standing = |region: &str, seq, lost: bool| -> Seen<RegionStanding> {
        let lost_since = lost.then(|| at(1));
        Ok(RegionStanding { region: parsed(region)?, seq: Seq(seq), lost_since })
    };
    same!(known(&[]).await?, [standing("eu", 1, true)?, standing("us", 1, true)?], "both");
    let recovered = vec![parsed("eu")?, parsed("never lost")?];
    let second = RuleAdvance { recovered, ..step(bench).await? };
    advance(bench, second).await?;
    same!(known(&[]).await?, [standing("us", 1, true)?], "those that are lost");
    let of_both = [standing("eu", 1, false)?, standing("us", 1, true)?];
    same!(known(&["eu", "ap"]).await?, of_both, "with one that was");
    let lost = vec![region_loss("eu", 2)?];
    let third = RuleAdvance { lost, ..step(bench).await? };
    advance(bench, third).await?;
    same!(known(&["eu"]).await?[0], standing("eu", 2, true)?, "one that is lost again");
    Ok(())
}

async fn what_is_held_is_found_by_its_region(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let elsewhere = |alert: Alert| -> Seen<Alert> {
        let AlertSubject::Satellite { id, name, .. } = alert.subject else { return Ok(alert) };
        let subject = AlertSubject::Satellite { id, name, region: parsed("us")? };
        Ok(Alert { subject, ..alert })
    };
    let kept = vec![
        alert(1, 1, AlertState::Held)?,
        alert(1, 2, AlertState::Held)?,
        alert(1, 3, pending(9))?,
        elsewhere(alert(1, 4, AlertState::Held)?)?,
    ];
    keep(bench, kept.clone()).await?;
    let region: Region = parsed("eu")?;
    let mut found = bench.handle(1).held_alerts(&region, 9).await?;
    found.sort_by_key(|alert| alert.since);
    same!(found, kept[..2], "those that are held");
    same!(bench.handle(1).held_alerts(&region, 1).await?.len(), 1, "one of them");
    Ok(())
}
