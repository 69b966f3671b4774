//! Writes that wait at the same time are committed together, and none is at another's mercy.

use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use groundcontrol_core::ports::{HeartbeatWrite, Removal, SatelliteStore, WriteOutcome};
use groundcontrol_core::satellite::{Epoch, Tags};

use super::{at, connect, fleet, id, read, satellite};

#[tokio::test]
async fn edges_that_wait_at_once_share_a_few_commits() {
    let (store, _folder) = fleet(100).await;
    let reads = join_all((1..=100).map(|number| read(&store, number))).await;
    let before = store.stats();
    let edges = reads.iter().map(|read| store.record_edges(vec![connect(read, 7)]));
    for outcome in join_all(edges).await {
        assert_eq!(outcome, Ok(vec![WriteOutcome::Applied]));
    }
    let after = store.stats();
    assert_eq!(after.writes - before.writes, 100);
    assert!(after.commits - before.commits <= 5, "{} commits", after.commits - before.commits);
}

#[tokio::test]
async fn lookups_that_wait_at_once_share_a_few_statements() {
    let (store, _folder) = fleet(10).await;
    let before = store.stats();
    let lookups = (0..300).map(|n| store.credentials(id(n % 10 + 1)));
    for found in join_all(lookups).await {
        assert!(found.unwrap().is_some());
    }
    let after = store.stats();
    assert_eq!(after.lookups - before.lookups, 300);
    let statements = after.lookup_statements - before.lookup_statements;
    assert!(statements <= 5, "{statements} statements");
}

#[tokio::test]
async fn a_conflict_in_a_group_hinders_no_other_write_of_it() {
    let (store, _folder) = fleet(3).await;
    let reads = join_all((1..=3).map(|number| read(&store, number))).await;
    store.record_edges(vec![connect(&reads[1], 7)]).await.unwrap();
    let edges = reads.iter().map(|read| connect(read, 8)).collect();
    let outcomes = store.record_edges(edges).await.unwrap();
    assert_eq!(outcomes, [WriteOutcome::Applied, WriteOutcome::Conflict, WriteOutcome::Applied]);
    assert_eq!(store.events_after(None, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn of_two_writers_on_one_read_one_wins_and_one_transition_is_recorded() {
    let (store, _folder) = fleet(1).await;
    let read = read(&store, 1).await;
    let race = [7, 8].map(|session| store.record_edges(vec![connect(&read, session)]));
    let outcomes: Vec<_> = join_all(race).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(outcomes, [WriteOutcome::Applied, WriteOutcome::Conflict]);
    assert_eq!(store.transitions(id(1), None, 10).await.unwrap().len(), 1);
}

/// An id that is used again after a removal is against the port's contract, and breaks a
/// constraint of the database.
#[tokio::test]
async fn a_write_that_the_database_refuses_takes_no_other_with_it() {
    let (store, _folder) = fleet(2).await;
    let (first, other) = (read(&store, 1).await, read(&store, 2).await);
    let origin = connect(&first, 7).origin;
    let removal = Removal { read: first, origin, now: at(1_000) };
    assert_eq!(store.remove(removal).await, Ok(WriteOutcome::Applied));
    store.create(satellite(1, Tags::default())).await.unwrap();
    let again = read(&store, 1).await;
    let both = [again, other].map(|read| connect(&read, 8));
    let outcomes = join_all(both.map(|edge| store.record_edges(vec![edge]))).await;
    assert!(outcomes[0].is_err(), "{outcomes:?}");
    assert_eq!(outcomes[1], Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_made_all_the_same() {
    let (store, _folder) = fleet(1).await;
    let edge = connect(&read(&store, 1).await, 7);
    let mut call = Box::pin(store.record_edges(vec![edge]));
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    let written = async {
        while read(&store, 1).await.record.epoch == Epoch(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_goes_before_the_edges_of_its_group() {
    let (store, _folder) = fleet(1).await;
    store.record_edges(vec![connect(&read(&store, 1).await, 7)]).await.unwrap();
    let takeover = connect(&read(&store, 1).await, 8);
    let beat = HeartbeatWrite { satellite: id(1), epoch: Epoch(1), at: at(2_000) };
    let beats = [beat];
    let (outcomes, refused) = futures_util::future::join(
        store.record_edges(vec![takeover]),
        store.record_heartbeats(&beats, at(2_000)),
    )
    .await;
    assert_eq!((outcomes, refused), (Ok(vec![WriteOutcome::Applied]), Ok(vec![])));
}

#[tokio::test]
async fn a_write_that_the_database_refuses_leaves_no_transaction_open() {
    let (store, _folder) = fleet(1).await;
    let first = read(&store, 1).await;
    let origin = connect(&first, 7).origin;
    let removal = Removal { read: first, origin, now: at(1_000) };
    assert_eq!(store.remove(removal).await, Ok(WriteOutcome::Applied));
    store.create(satellite(1, Tags::default())).await.unwrap();
    let again = connect(&read(&store, 1).await, 8);
    assert!(store.record_edges(vec![again]).await.is_err());
    assert!(store.create(satellite(2, Tags::default())).await.is_ok());
}

#[tokio::test]
async fn transitions_of_one_call_are_events_in_its_order() {
    let (store, _folder) = fleet(3).await;
    let order = [2, 3, 1];
    let reads = join_all(order.map(|number| read(&store, number))).await;
    let edges = reads.iter().map(|read| connect(read, 7)).collect();
    store.record_edges(edges).await.unwrap();
    let events = store.events_after(None, 10).await.unwrap();
    let recorded: Vec<_> = events.iter().map(|event| event.recorded.place().0).collect();
    assert_eq!(recorded, order.map(|number| id(number).into()));
}
