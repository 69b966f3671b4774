//! The cases of [`PackageStore`](crate::ports::PackageStore).

use uuid::Uuid;

use crate::conformance::runner::{Case, Fault, Seen};
use crate::conformance::work::bench::{AT, remove_satellite, satellite, satellite_id};
use crate::conformance::{Fixture, WorkAdapter};
use crate::packages::{
    BlobHash, BlobName, Entry, HeldBlob, Lockfile, LockfileHash, SyncState, SyncStatus,
};
use crate::ports::{Desired, DesiredChange, DesiredOutcome};
use crate::time::{Millis, Timestamp};

type Bench = Fixture<dyn WorkAdapter>;

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "desired" nothing_is_desired_at_first,
        "desired" a_lockfile_that_is_set_is_read_to_the_letter,
        "desired" to_want_no_packages_is_a_change_too,
        "conditional" a_lockfile_is_set_only_in_place_of_the_one_that_was_read,
        "conditional" of_two_publishers_at_once_one_is_overtaken,
        "conditional" a_lockfile_whose_blobs_are_not_all_held_changes_nothing,
        "blobs" a_blob_that_is_held_is_told_to_whoever_wants_it,
        "blobs" the_first_upload_of_a_blob_stays,
        "key" a_blob_is_found_by_its_key_in_the_desired_lockfile_first,
        "kept" what_the_desired_lockfile_names_is_never_forgotten,
        "forget" what_nobody_names_or_wants_is_forgotten_after_its_time,
        "forget" a_lockfile_that_was_replaced_keeps_its_blobs_for_a_while,
        "forget" a_lockfile_that_is_desired_again_is_kept,
        "unheld" names_of_other_uploads_are_told_from_those_that_count,
        "sync" of_what_a_satellite_says_the_latest_holds_until_it_is_removed,
        "sync" sync_states_are_listed_in_the_order_of_ids,
        "durable" all_of_it_is_there_after_a_crash,
    ]
}

fn at(millis: u64) -> Timestamp {
    AT + Millis::new(millis)
}

fn blob(number: u8) -> HeldBlob {
    HeldBlob {
        name: BlobName {
            hash: BlobHash::of(&[number]),
            upload: Uuid::from_u128(u128::from(number)),
        },
        bytes: 10_000_000_000 + u64::from(number),
        unpacked_bytes: 100,
        files: 3,
    }
}

/// An entry for package and blob `number`.
fn entry(number: u8) -> Seen<Entry> {
    let fault = |why: &dyn std::fmt::Display| Fault::Seen(why.to_string());
    Ok(Entry {
        name: format!("@scope/p{number}").parse().map_err(|why| fault(&why))?,
        version: format!("1.0.{number}-é").parse().map_err(|why| fault(&why))?,
        integrity: format!("sha512-{number}== 'q'").parse().map_err(|why| fault(&why))?,
        blob: blob(number).hash(),
    })
}

fn lockfile(numbers: &[u8]) -> Seen<Lockfile> {
    let entries: Seen<Vec<_>> = numbers.iter().map(|number| entry(*number)).collect();
    Ok(Lockfile::new(entries?)?)
}

async fn hold(bench: &Bench, numbers: &[u8], now: Timestamp) -> Seen {
    for number in numbers {
        let held = bench.handle(0).record_blob(blob(*number), now).await?;
        same!(held, blob(*number), "what is held");
    }
    Ok(())
}

fn change(
    expected: Option<LockfileHash>,
    lockfile: Option<Lockfile>,
    now: Timestamp,
) -> DesiredChange {
    DesiredChange { expected, lockfile, now }
}

/// Publishes packages of these numbers, in place of whatever is desired.
async fn publish(bench: &Bench, numbers: &[u8], now: Timestamp) -> Seen<LockfileHash> {
    hold(bench, numbers, now).await?;
    let (new, expected) = (lockfile(numbers)?, bench.handle(0).desired().await?.lockfile);
    let hash = new.hash();
    let done = bench.handle(0).set_desired(change(expected, Some(new), now)).await?;
    same!(done, DesiredOutcome::Set, "what became of publishing");
    Ok(hash)
}

async fn held(bench: &Bench, numbers: &[u8]) -> Seen<Vec<u8>> {
    let hashes: Vec<_> = numbers.iter().map(|number| blob(*number).hash()).collect();
    // Long ago, so that asking keeps nothing.
    let found = bench.handle(1).want_blobs(&hashes, Timestamp::from_millis(0)).await?;
    same!(found.len(), hashes.len(), "the number of answers");
    let with = |(number, found): (&u8, Option<HeldBlob>)| found.map(|_| *number);
    Ok(numbers.iter().zip(found).filter_map(with).collect())
}

async fn nothing_is_desired_at_first(bench: &Bench) -> Seen {
    same!(bench.handle(0).desired().await?, Desired::default(), "what is desired");
    let unknown = LockfileHash::of(b"x");
    same!(bench.handle(0).lockfile(unknown).await?, None, "a lockfile that nobody made");
    same!(held(bench, &[1]).await?, vec![], "the blobs that are held");
    same!(bench.handle(0).blob_of(&entry(1)?.integrity).await?, None, "the blob of a key");
    Ok(())
}

async fn a_lockfile_that_is_set_is_read_to_the_letter(bench: &Bench) -> Seen {
    let mut entries = vec![entry(3)?, entry(1)?, entry(2)?];
    entries[1].name = entries[0].name.clone();
    let wanted = Lockfile::new(entries)?;
    hold(bench, &[1, 2, 3], at(1)).await?;
    let done = bench.handle(0).set_desired(change(None, Some(wanted.clone()), at(2))).await?;
    same!(done, DesiredOutcome::Set, "what became of it");
    let desired = Desired { lockfile: Some(wanted.hash()), since: Some(at(2)) };
    same!(bench.handle(1).desired().await?, desired, "what is desired");
    same!(bench.handle(1).lockfile(wanted.hash()).await?, Some(wanted), "the lockfile");
    Ok(())
}

async fn to_want_no_packages_is_a_change_too(bench: &Bench) -> Seen {
    let hash = publish(bench, &[1], at(1)).await?;
    for now in [at(2), at(3)] {
        let done = bench.handle(0).set_desired(change(Some(hash), None, now)).await?;
        same!(done, DesiredOutcome::Set, "what became of it");
    }
    let desired = Desired { lockfile: None, since: Some(at(2)) };
    same!(bench.handle(1).desired().await?, desired, "what is desired");
    same!(bench.handle(1).lockfile(hash).await?, Some(lockfile(&[1])?), "the old lockfile");
    Ok(())
}

async fn a_lockfile_is_set_only_in_place_of_the_one_that_was_read(bench: &Bench) -> Seen {
    let first = publish(bench, &[1], at(1)).await?;
    hold(bench, &[2], at(1)).await?;
    for expected in [None, Some(LockfileHash::of(b"x"))] {
        let wanted = change(expected, Some(lockfile(&[2])?), at(2));
        let done = bench.handle(1).set_desired(wanted).await?;
        same!(done, DesiredOutcome::Overtaken(Some(first)), "what became of it");
        let done = bench.handle(1).set_desired(change(expected, None, at(2))).await?;
        same!(done, DesiredOutcome::Overtaken(Some(first)), "what became of clearing");
    }
    same!(bench.handle(0).desired().await?.lockfile, Some(first), "what is desired");
    let again = bench.handle(1).set_desired(change(None, Some(lockfile(&[1])?), at(3))).await?;
    same!(again, DesiredOutcome::Set, "what became of the same once more");
    same!(bench.handle(0).desired().await?.since, Some(at(1)), "since when");
    Ok(())
}

async fn of_two_publishers_at_once_one_is_overtaken(bench: &Bench) -> Seen {
    hold(bench, &[1, 2], at(1)).await?;
    let publish = async |handle: usize, number: u8| -> Seen<DesiredOutcome> {
        let wanted = change(None, Some(lockfile(&[number])?), at(2));
        Ok(bench.handle(handle).set_desired(wanted).await?)
    };
    let (one, other) = futures_util::future::join(publish(0, 1), publish(1, 2)).await;
    let desired = bench.handle(0).desired().await?.lockfile;
    let outcomes = [one?, other?];
    let set = outcomes.iter().filter(|outcome| **outcome == DesiredOutcome::Set).count();
    same!(set, 1, "how many of {outcomes:?} were set");
    let overtaken = DesiredOutcome::Overtaken(desired);
    ensure!(outcomes.contains(&overtaken), "{outcomes:?}, and {desired:?} is desired");
    Ok(())
}

async fn a_lockfile_whose_blobs_are_not_all_held_changes_nothing(bench: &Bench) -> Seen {
    let before = publish(bench, &[1], at(1)).await?;
    let wanted = lockfile(&[1, 2, 3])?;
    let wanted_change = change(Some(before), Some(wanted.clone()), at(2));
    let done = bench.handle(0).set_desired(wanted_change).await?;
    let missing = vec![blob(2).hash(), blob(3).hash()];
    same!(done, DesiredOutcome::Missing(missing), "what became of it");
    same!(bench.handle(1).desired().await?.lockfile, Some(before), "what is desired");
    same!(bench.handle(1).lockfile(wanted.hash()).await?, None, "the lockfile");
    Ok(())
}

async fn a_blob_that_is_held_is_told_to_whoever_wants_it(bench: &Bench) -> Seen {
    hold(bench, &[1, 2], at(1)).await?;
    let wanted = [blob(2).hash(), blob(9).hash(), blob(1).hash(), blob(2).hash()];
    let found = bench.handle(1).want_blobs(&wanted, at(2)).await?;
    same!(found, vec![Some(blob(2)), None, Some(blob(1)), Some(blob(2))], "what is held");
    same!(bench.handle(1).want_blobs(&[], at(2)).await?, vec![], "of none");
    Ok(())
}

async fn the_first_upload_of_a_blob_stays(bench: &Bench) -> Seen {
    hold(bench, &[1], at(1)).await?;
    let mut again = blob(1);
    again.name.upload = Uuid::from_u128(77);
    same!(bench.handle(1).record_blob(again, at(2)).await?, blob(1), "what is held");
    same!(bench.handle(1).record_blob(blob(1), at(2)).await?, blob(1), "of the same once more");
    Ok(())
}

async fn a_blob_is_found_by_its_key_in_the_desired_lockfile_first(bench: &Bench) -> Seen {
    publish(bench, &[1, 2], at(1)).await?;
    // The same key, for another blob.
    let mut other = entry(3)?;
    other.integrity = entry(1)?.integrity;
    hold(bench, &[3], at(2)).await?;
    let (new, expected) = (Lockfile::new(vec![other])?, Some(lockfile(&[1, 2])?.hash()));
    let done = bench.handle(0).set_desired(change(expected, Some(new), at(2))).await?;
    same!(done, DesiredOutcome::Set, "what became of it");
    let found = async |number: u8| -> Seen<_> {
        Ok(bench.handle(1).blob_of(&entry(number)?.integrity).await?)
    };
    same!(found(1).await?, Some(blob(3)), "the blob of a key that is used again");
    same!(found(2).await?, Some(blob(2)), "the blob of a key that was used before");
    same!(found(3).await?, None, "the blob of a key that nobody uses");
    Ok(())
}

async fn what_the_desired_lockfile_names_is_never_forgotten(bench: &Bench) -> Seen {
    let hash = publish(bench, &[1, 2], at(1)).await?;
    same!(bench.handle(1).forget_unneeded(at(1_000_000)).await?, 0, "blobs forgotten");
    same!(held(bench, &[1, 2]).await?, vec![1, 2], "the blobs that are held");
    same!(bench.handle(1).lockfile(hash).await?, Some(lockfile(&[1, 2])?), "the lockfile");
    Ok(())
}

async fn what_nobody_names_or_wants_is_forgotten_after_its_time(bench: &Bench) -> Seen {
    hold(bench, &[1, 2, 3], at(10)).await?;
    bench.handle(0).want_blobs(&[blob(2).hash()], at(20)).await?;
    bench.handle(0).record_blob(blob(3), at(20)).await?;
    // Nothing that is older makes it younger again.
    bench.handle(0).want_blobs(&[blob(2).hash()], at(5)).await?;
    same!(bench.handle(0).forget_unneeded(at(10)).await?, 0, "blobs forgotten in time");
    same!(bench.handle(0).forget_unneeded(at(11)).await?, 1, "blobs forgotten");
    same!(held(bench, &[1, 2, 3]).await?, vec![2, 3], "the blobs that are held");
    Ok(())
}

async fn a_lockfile_that_was_replaced_keeps_its_blobs_for_a_while(bench: &Bench) -> Seen {
    let first = publish(bench, &[1, 2], at(10)).await?;
    publish(bench, &[2, 3], at(20)).await?;
    same!(bench.handle(0).forget_unneeded(at(20)).await?, 0, "blobs forgotten in time");
    same!(bench.handle(0).lockfile(first).await?, Some(lockfile(&[1, 2])?), "the old lockfile");
    same!(bench.handle(0).forget_unneeded(at(21)).await?, 1, "blobs forgotten");
    same!(bench.handle(0).lockfile(first).await?, None, "the old lockfile then");
    same!(held(bench, &[1, 2, 3]).await?, vec![2, 3], "the blobs that are held");
    same!(bench.handle(0).blob_of(&entry(1)?.integrity).await?, None, "the blob of its key");
    Ok(())
}

async fn a_lockfile_that_is_desired_again_is_kept(bench: &Bench) -> Seen {
    let first = publish(bench, &[1], at(10)).await?;
    publish(bench, &[2], at(20)).await?;
    publish(bench, &[1], at(30)).await?;
    same!(bench.handle(0).forget_unneeded(at(1_000)).await?, 1, "blobs forgotten");
    let desired = Desired { lockfile: Some(first), since: Some(at(30)) };
    same!(bench.handle(1).desired().await?, desired, "what is desired");
    same!(bench.handle(1).lockfile(first).await?, Some(lockfile(&[1])?), "the lockfile");
    Ok(())
}

async fn names_of_other_uploads_are_told_from_those_that_count(bench: &Bench) -> Seen {
    hold(bench, &[1, 2], at(1)).await?;
    let other = BlobName { upload: Uuid::from_u128(77), ..blob(1).name };
    let names = [blob(1).name, other, blob(3).name, blob(2).name];
    same!(bench.handle(1).unheld(&names).await?, vec![other, blob(3).name], "the others");
    same!(bench.handle(1).unheld(&[]).await?, vec![], "of none");
    Ok(())
}

fn said(number: u32, status: SyncStatus, error: Option<&str>, now: Timestamp) -> SyncState {
    SyncState::said(satellite_id(number), Some("hash 'é'"), status, error, now)
}

async fn of_what_a_satellite_says_the_latest_holds_until_it_is_removed(bench: &Bench) -> Seen {
    let id = satellite(bench, 7, "eu", &[]).await?;
    let failed = said(7, SyncStatus::Error, Some("no \"room\""), at(1));
    let stranger = said(9, SyncStatus::Ready, None, at(1));
    bench.handle(0).record_sync_states(&[failed.clone(), stranger]).await?;
    same!(bench.handle(1).sync_state(id).await?, Some(failed), "what it said");
    let ready = SyncState { lockfile: None, ..said(7, SyncStatus::Ready, None, at(2)) };
    bench.handle(0).record_sync_states(std::slice::from_ref(&ready)).await?;
    bench.handle(0).record_sync_states(&[]).await?;
    same!(bench.handle(1).sync_state(id).await?, Some(ready), "what it said then");
    same!(bench.handle(1).sync_state(satellite_id(9)).await?, None, "of no satellite");
    remove_satellite(bench, id).await?;
    same!(bench.handle(1).sync_state(id).await?, None, "after it was removed");
    Ok(())
}

async fn sync_states_are_listed_in_the_order_of_ids(bench: &Bench) -> Seen {
    let numbers = [2, 1, 3];
    for number in numbers {
        satellite(bench, number, "eu", &[]).await?;
    }
    let states: Vec<_> =
        numbers.iter().map(|number| said(*number, SyncStatus::Syncing, None, at(1))).collect();
    bench.handle(0).record_sync_states(&states).await?;
    let listed = async |after: Option<u32>, limit| -> Seen<Vec<_>> {
        let found = bench.handle(1).sync_states(after.map(satellite_id), limit).await?;
        Ok(found.iter().map(|state| state.satellite).collect())
    };
    let ids = |numbers: &[u32]| numbers.iter().map(|n| satellite_id(*n)).collect::<Vec<_>>();
    same!(listed(None, 9).await?, ids(&[1, 2, 3]), "all of them");
    same!(listed(None, 2).await?, ids(&[1, 2]), "the first two");
    same!(listed(Some(2), 2).await?, ids(&[3]), "those after the second");
    Ok(())
}

async fn all_of_it_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    let id = satellite(bench, 7, "eu", &[]).await?;
    let hash = publish(bench, &[1], at(1)).await?;
    let state = said(7, SyncStatus::Ready, None, at(1));
    bench.handle(0).record_sync_states(std::slice::from_ref(&state)).await?;
    bench.crash().await;
    same!(bench.handle(0).desired().await?.lockfile, Some(hash), "what is desired");
    same!(bench.handle(0).lockfile(hash).await?, Some(lockfile(&[1])?), "the lockfile");
    same!(held(bench, &[1]).await?, vec![1], "the blobs that are held");
    same!(bench.handle(0).sync_state(id).await?, Some(state), "what a satellite said");
    Ok(())
}
