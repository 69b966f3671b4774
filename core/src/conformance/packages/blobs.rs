//! The cases of [`BlobStore`](crate::ports::BlobStore).

use std::sync::Arc;

use uuid::Uuid;

use crate::conformance::Fixture;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::limits::BLOB_PIECE;
use crate::packages::{Blob, BlobHash, BlobName};
use crate::ports::BlobStore;
use crate::time::Timestamp;

type Bench = Fixture<dyn BlobStore>;

/// Before anything that a test can do, …
const LONG_AGO: Timestamp = Timestamp::from_millis(0);
/// … some time, …
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// … and after all of it, whatever clock an adapter reads.
const ONE_DAY: Timestamp = Timestamp::from_millis(4_000_000_000_000);

pub(in crate::conformance) fn cases() -> Vec<Case<dyn BlobStore>> {
    cases![
        "whole" bytes_are_read_as_they_were_put,
        "whole" what_was_never_put_is_not_there,
        "put" the_same_may_be_put_again,
        "delete" what_is_deleted_is_gone_and_others_stay,
        "list" names_are_listed_in_their_order_by_when_they_were_put,
        "durable" bytes_are_there_after_a_crash,
    ]
}

fn name(number: u8) -> BlobName {
    BlobName { hash: BlobHash::of(&[number]), upload: Uuid::from_u128(u128::from(number)) }
}

/// A blob of so many bytes, in pieces as they are read.
fn blob(bytes: usize) -> Arc<Blob> {
    let all: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
    Arc::new(Blob::new(all.chunks(BLOB_PIECE).map(Into::into).collect()))
}

async fn bytes_are_read_as_they_were_put(bench: &Bench) -> Seen {
    let sizes = [1, 1_000, BLOB_PIECE, 2 * BLOB_PIECE + 7];
    for (number, bytes) in (1..).zip(sizes) {
        bench.handle(0).put(name(number), blob(bytes), NOW).await?;
    }
    for (number, bytes) in (1..).zip(sizes) {
        let found = bench.handle(1).get(name(number)).await?;
        ensure!(found.as_ref() == Some(&*blob(bytes)), "{found:?} in place of {bytes} bytes");
    }
    Ok(())
}

async fn what_was_never_put_is_not_there(bench: &Bench) -> Seen {
    bench.handle(0).put(name(1), blob(9), NOW).await?;
    let other = BlobName { upload: Uuid::from_u128(77), ..name(1) };
    same!(bench.handle(0).get(other).await?, None, "another upload of the same blob");
    same!(bench.handle(0).get(name(2)).await?, None, "another blob");
    Ok(())
}

async fn the_same_may_be_put_again(bench: &Bench) -> Seen {
    for _ in 0..2 {
        bench.handle(0).put(name(1), blob(BLOB_PIECE + 1), NOW).await?;
    }
    let found = bench.handle(1).get(name(1)).await?;
    ensure!(found == Some(Blob::clone(&blob(BLOB_PIECE + 1))), "{found:?}");
    Ok(())
}

async fn what_is_deleted_is_gone_and_others_stay(bench: &Bench) -> Seen {
    for number in 1..=3 {
        bench.handle(0).put(name(number), blob(BLOB_PIECE + 1), NOW).await?;
    }
    bench.handle(1).delete(&[name(1), name(3), name(9)]).await?;
    bench.handle(1).delete(&[]).await?;
    for (number, stays) in [(1, false), (2, true), (3, false)] {
        let found = bench.handle(0).get(name(number)).await?;
        same!(found.is_some(), stays, "whether blob {number} is there");
    }
    Ok(())
}

async fn names_are_listed_in_their_order_by_when_they_were_put(bench: &Bench) -> Seen {
    let mut names: Vec<_> = (1..=5).map(name).collect();
    for one in &names {
        bench.handle(0).put(*one, blob(BLOB_PIECE + 1), NOW).await?;
    }
    names.sort();
    let store = bench.handle(1);
    same!(store.put_before(LONG_AGO, None, 9).await?, vec![], "what was put long ago");
    same!(store.put_before(ONE_DAY, None, 9).await?, names, "all of them");
    same!(store.put_before(ONE_DAY, None, 2).await?, names[..2], "the first two");
    same!(store.put_before(ONE_DAY, Some(names[1]), 2).await?, names[2..4], "the next two");
    same!(store.put_before(ONE_DAY, Some(names[3]), 2).await?, names[4..], "the last one");
    Ok(())
}

async fn bytes_are_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    bench.handle(0).put(name(1), blob(1_000), NOW).await?;
    bench.crash().await;
    let found = bench.handle(0).get(name(1)).await?;
    ensure!(found == Some(Blob::clone(&blob(1_000))), "{found:?}");
    Ok(())
}
