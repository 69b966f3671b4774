//! The cases of [`SinkStore`](crate::ports::SinkStore).

use super::runner::{Case, Fault, Seen};
use super::{Fixture, SinkStoreAdapter};
use crate::connection::RegionLoss;
use crate::ports::{EventCursor, RuleAdvance, SinkClaim, SinkName};
use crate::satellite::{PodName, Seq};
use crate::time::{Millis, Timestamp};

pub(super) fn cases() -> Vec<Case<dyn SinkStoreAdapter>> {
    cases![
        "sinks" a_new_sink_begins_with_what_happens_from_then_on,
        "sinks" a_sink_is_claimed_once_until_its_lease_ends,
        "fenced" a_claim_that_was_lost_moves_nothing,
        "sinks" each_sink_has_a_place_of_its_own,
        "durable" what_is_stored_is_there_after_a_crash,
    ]
}

type Bench = Fixture<dyn SinkStoreAdapter>;

const LEASE: Millis = Millis::from_secs(15);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000)
}

fn sink(name: &str) -> SinkName {
    SinkName::new(name)
}

async fn claim(bench: &Bench, name: &str, second: i64) -> Seen<Option<SinkClaim>> {
    let pod = PodName::new("pod");
    Ok(bench.handle(1).claim_sink(&sink(name), &pod, at(second), LEASE).await?)
}

async fn claimed(bench: &Bench, name: &str, second: i64) -> Seen<SinkClaim> {
    bench.handle(0).sink_cursor(&sink(name)).await?;
    let claim = claim(bench, name, second).await?;
    claim.ok_or_else(|| Fault::Seen(format!("{name} could not be claimed")))
}

async fn reached(bench: &Bench, claim: &SinkClaim, position: u64, second: i64) -> Seen<bool> {
    let cursor = Some(EventCursor { commit: 0, position });
    Ok(bench.handle(0).sink_reached(claim, cursor, at(second), LEASE).await?)
}

/// Records an event.
async fn happen(bench: &Bench, seq: u64) -> Seen {
    let loss = RegionLoss {
        region: "eu".parse().map_err(|why| Fault::Seen(format!("{why}")))?,
        seq: Seq(seq),
        since: at(0),
        occurred_at: at(0),
        lost: 3,
        total: 4,
        window: Millis::from_secs(60),
        pod: PodName::new("pod"),
    };
    let store = bench.handle(0);
    let version = store.rule_progress().await?.version;
    let step = RuleAdvance { lost: vec![loss], ..RuleAdvance::at(version, at(0)) };
    ensure!(store.advance_rules(step).await?, "an event was not recorded");
    Ok(())
}

async fn a_new_sink_begins_with_what_happens_from_then_on(bench: &Bench) -> Seen {
    same!(claim(bench, "never asked for", 0).await?, None, "a claim of nothing");
    same!(bench.handle(0).sink_cursor(&sink("first")).await?, None, "the cursor before all events");
    happen(bench, 1).await?;
    happen(bench, 2).await?;
    let newest = bench.handle(0).newest_event().await?;
    same!(bench.handle(1).sink_cursor(&sink("second")).await?, newest, "the cursor after two");
    same!(bench.handle(1).sink_cursor(&sink("first")).await?, None, "that of the first, after two");
    Ok(())
}

async fn a_sink_is_claimed_once_until_its_lease_ends(bench: &Bench) -> Seen {
    let first = claimed(bench, "one", 0).await?;
    same!(claim(bench, "one", 14).await?, None, "a claim during the lease");
    same!(reached(bench, &first, 4, 10).await?, true, "whether the cursor moved");
    same!(claim(bench, "one", 24).await?, None, "a claim during the renewed lease");
    let second = claimed(bench, "one", 25).await?;
    same!(second.cursor, Some(EventCursor { commit: 0, position: 4 }), "where it goes on");
    bench.handle(0).release_sink(&second).await?;
    same!(claim(bench, "one", 26).await?.is_some(), true, "a claim after it was given back");
    Ok(())
}

async fn a_claim_that_was_lost_moves_nothing(bench: &Bench) -> Seen {
    let old = claimed(bench, "one", 0).await?;
    let new = claimed(bench, "one", 20).await?;
    same!(reached(bench, &old, 9, 21).await?, false, "whether the old claim moved the cursor");
    same!(bench.handle(0).sink_cursor(&sink("one")).await?, None, "the cursor");
    bench.handle(0).release_sink(&old).await?;
    same!(claim(bench, "one", 22).await?, None, "a claim after a release that is none");
    same!(reached(bench, &new, 3, 22).await?, true, "whether the new claim moved it");
    Ok(())
}

async fn each_sink_has_a_place_of_its_own(bench: &Bench) -> Seen {
    let one = claimed(bench, "one", 0).await?;
    let other = claimed(bench, "other \"'\"", 0).await?;
    reached(bench, &one, 7, 1).await?;
    reached(bench, &other, 8, 1).await?;
    let cursor = async |name: &str| -> Seen<Option<u64>> {
        Ok(bench.handle(1).sink_cursor(&sink(name)).await?.map(|cursor| cursor.position))
    };
    same!(cursor("one").await?, Some(7), "the one cursor");
    same!(cursor("other \"'\"").await?, Some(8), "the other cursor");
    Ok(())
}

async fn what_is_stored_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    let held = claimed(bench, "one", 0).await?;
    reached(bench, &held, 7, 1).await?;
    bench.crash().await;
    same!(claim(bench, "one", 2).await?, None, "a claim before the dead pod's lease ended");
    let next = claimed(bench, "one", 30).await?;
    same!(next.cursor.map(|cursor| cursor.position), Some(7), "where it goes on");
    Ok(())
}
