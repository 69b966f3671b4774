//! The cases of [`RevisionStore`](crate::ports::RevisionStore).

use super::bench::{Bench, remove_satellite, satellite, satellite_id, system};
use crate::assignment::{Assigned, Configuration, Fingerprint, Revision, StoredRevision};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::ports::RevisionWrite;
use crate::satellite::SatelliteId;

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "revisions" before_any_work_every_revision_is_the_first,
        "revisions" what_was_recorded_is_read_in_the_order_of_the_question,
        "conditional" a_revision_takes_only_the_place_of_the_one_before_it,
        "conditional" the_same_revision_again_counts_as_stored,
        "conditional" one_that_is_refused_hinders_no_other,
        "applied" what_an_agent_runs_never_goes_back_nor_ahead,
        "gone" with_its_satellite_a_revision_goes,
        "durable" revisions_are_there_after_a_crash,
    ]
}

/// A fingerprint for each number.
fn says(number: u32) -> Seen<Fingerprint> {
    let check = super::bench::check(number)?.into();
    Ok(Configuration::new(vec![Assigned { check, system: system(1)?.into() }]).fingerprint())
}

fn write(satellite: SatelliteId, revision: u64, number: u32) -> Seen<RevisionWrite> {
    Ok(RevisionWrite { satellite, revision: Revision(revision), fingerprint: says(number)? })
}

fn stored(revision: u64, number: u32, applied: Option<u64>) -> Seen<StoredRevision> {
    let (revision, applied) = (Revision(revision), applied.map(Revision));
    Ok(StoredRevision { revision, fingerprint: says(number)?, applied })
}

async fn before_any_work_every_revision_is_the_first(bench: &Bench) -> Seen {
    let known = satellite(bench, 7, "eu", &[]).await?;
    let found = bench.handle(0).revisions(&[known, satellite_id(8)]).await?;
    same!(found, vec![StoredRevision::default(); 2], "the revisions");
    same!(bench.handle(0).revision(known).await?, StoredRevision::default(), "one revision");
    Ok(())
}

async fn what_was_recorded_is_read_in_the_order_of_the_question(bench: &Bench) -> Seen {
    let (one, two) = (satellite(bench, 7, "eu", &[]).await?, satellite(bench, 8, "eu", &[]).await?);
    let writes = [write(one, 1, 1)?, write(two, 1, 2)?];
    same!(bench.handle(0).record_revisions(&writes).await?, [true, true], "what was stored");
    let found = bench.handle(1).revisions(&[two, satellite_id(9), one]).await?;
    let expected = [stored(1, 2, None)?, StoredRevision::default(), stored(1, 1, None)?];
    same!(found, expected, "the revisions");
    same!(bench.handle(1).revision(two).await?, stored(1, 2, None)?, "one revision");
    same!(bench.handle(0).record_revisions(&[]).await?, [false; 0], "answers to no question");
    Ok(())
}

async fn a_revision_takes_only_the_place_of_the_one_before_it(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let id = satellite(bench, 7, "eu", &[]).await?;
    same!(store.record_revisions(&[write(id, 2, 1)?]).await?, [false], "2 in place of none");
    same!(store.record_revisions(&[write(id, 1, 1)?]).await?, [true], "1 in place of none");
    same!(store.record_revisions(&[write(id, 1, 2)?]).await?, [false], "another 1 beside 1");
    same!(store.record_revisions(&[write(id, 3, 2)?]).await?, [false], "3 in place of 1");
    same!(store.record_revisions(&[write(id, 2, 2)?]).await?, [true], "2 in place of 1");
    same!(store.revision(id).await?, stored(2, 2, None)?, "the revision");
    Ok(())
}

async fn the_same_revision_again_counts_as_stored(bench: &Bench) -> Seen {
    let id = satellite(bench, 7, "eu", &[]).await?;
    for _ in 0..2 {
        let stored = bench.handle(0).record_revisions(&[write(id, 1, 1)?]).await?;
        same!(stored, [true], "what was stored");
    }
    Ok(())
}

async fn one_that_is_refused_hinders_no_other(bench: &Bench) -> Seen {
    let (one, two) = (satellite(bench, 7, "eu", &[]).await?, satellite(bench, 8, "eu", &[]).await?);
    let writes = [write(one, 1, 1)?, write(satellite_id(9), 1, 1)?, write(two, 1, 1)?];
    let answer = bench.handle(0).record_revisions(&writes).await?;
    same!(answer, [true, false, true], "what was stored");
    Ok(())
}

async fn what_an_agent_runs_never_goes_back_nor_ahead(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let id = satellite(bench, 7, "eu", &[]).await?;
    for revision in 1..=3 {
        store.record_revisions(&[write(id, revision, revision as u32)?]).await?;
    }
    for (said, kept) in [(2, Some(2)), (1, Some(2)), (4, Some(2)), (3, Some(3))] {
        store.record_applied(&[(id, Revision(said)), (satellite_id(9), Revision(1))]).await?;
        same!(store.revision(id).await?, stored(3, 3, kept)?, "after an agent said {said}");
    }
    store.record_revisions(&[write(id, 4, 4)?]).await?;
    same!(store.revision(id).await?, stored(4, 4, Some(3))?, "after a further revision");
    Ok(())
}

async fn with_its_satellite_a_revision_goes(bench: &Bench) -> Seen {
    let id = satellite(bench, 7, "eu", &[]).await?;
    bench.handle(0).record_revisions(&[write(id, 1, 1)?]).await?;
    remove_satellite(bench, id).await?;
    same!(bench.handle(0).revision(id).await?, StoredRevision::default(), "the revision");
    let late = bench.handle(0).record_revisions(&[write(id, 2, 1)?]).await?;
    same!(late, [false], "whether a late one was stored");
    Ok(())
}

async fn revisions_are_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    let id = satellite(bench, 7, "eu", &[]).await?;
    bench.handle(0).record_revisions(&[write(id, 1, 1)?]).await?;
    bench.handle(0).record_applied(&[(id, Revision(1))]).await?;
    bench.crash().await;
    same!(bench.handle(0).revision(id).await?, stored(1, 1, Some(1))?, "the revision");
    Ok(())
}
