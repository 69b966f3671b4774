//! A database that is full, read-only or in a strange state: callers hear it, nothing is half
//! done, and the store recovers on its own when the database does.

use groundcontrol_core::ports::{SatelliteStore, StoreError, UpdateOutcome, WriteOutcome};
use groundcontrol_core::ports::{SatelliteUpdate, StoreResult};
use groundcontrol_core::satellite::{Epoch, Tags};

use super::{connect, fleet, id, read, satellite};
use crate::DatabaseStore;

async fn pragma(store: &DatabaseStore, pragma: &str) {
    store.writing().run(&format!("PRAGMA {pragma}")).await.unwrap();
}

fn refuses_writes<T: std::fmt::Debug>(result: &StoreResult<T>) -> bool {
    matches!(result, Err(StoreError::RefusesWrites { .. }))
}

/// Tags that take some pages.
fn many_tags() -> Tags {
    let tag = |number| (format!("key {number}"), "x".repeat(255));
    Tags::new((0..64).map(tag).collect()).unwrap()
}

#[tokio::test]
async fn a_full_database_refuses_writes_and_takes_them_again_when_there_is_room() {
    let (store, _folder) = fleet(2).await;
    pragma(&store, "max_page_count = 1").await;
    let mut number = 100;
    let full = loop {
        let created = store.create(satellite(number, many_tags())).await;
        if created.is_err() {
            break created;
        }
        number += 1;
        assert!(number < 200, "the database never got full");
    };
    assert!(refuses_writes(&full), "{full:?}");
    assert_eq!(store.get(id(number)).await, Ok(None));
    assert!(store.get(id(1)).await.unwrap().is_some());
    pragma(&store, "max_page_count = 1000000").await;
    assert!(store.create(satellite(number, many_tags())).await.is_ok());
    let edge = connect(&read(&store, 1).await, 7);
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn every_caller_of_a_group_hears_that_the_database_is_full() {
    let (store, _folder) = fleet(1).await;
    pragma(&store, "max_page_count = 1").await;
    let creates = (100..200).map(|number| store.create(satellite(number, many_tags())));
    let results = futures_util::future::join_all(creates).await;
    assert!(results.iter().all(refuses_writes), "{results:?}");
    assert_eq!(store.get(id(100)).await, Ok(None));
}

#[tokio::test]
async fn a_read_only_database_refuses_writes_but_not_reads() {
    let (store, _folder) = fleet(1).await;
    let edge = connect(&read(&store, 1).await, 7);
    pragma(&store, "query_only = ON").await;
    let refused = store.record_edges(vec![edge.clone()]).await;
    assert!(refuses_writes(&refused), "{refused:?}");
    let probe = store.probe(edge.now).await;
    assert!(refuses_writes(&probe), "{probe:?}");
    assert_eq!(read(&store, 1).await.record.epoch, Epoch(0));
    pragma(&store, "query_only = OFF").await;
    assert_eq!(store.probe(edge.now).await, Ok(()));
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_ended_not_joined() {
    let (store, _folder) = fleet(1).await;
    store.writing().run("BEGIN IMMEDIATE").await.unwrap();
    let forgotten = "UPDATE satellites SET region = 'forgotten'";
    store.writing().run(forgotten).await.unwrap();
    let region = SatelliteUpdate { region: Some("new".parse().unwrap()), ..Default::default() };
    assert_eq!(store.update(id(1), SatelliteUpdate::default()).await, Ok(UpdateOutcome::Updated));
    let stored = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(stored.satellite.region.as_str(), "eu");
    assert_eq!(store.update(id(1), region).await, Ok(UpdateOutcome::Updated));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (store, _folder) = fleet(1).await;
    let other = store.clone();
    store.close().await;
    let error = other.update(id(1), SatelliteUpdate::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not update a satellite: the store is unavailable (it was closed)"
    );
    assert!(other.get(id(1)).await.is_err());
}

#[tokio::test]
async fn what_was_queued_when_the_store_is_closed_is_written() {
    let (store, folder) = fleet(0).await;
    let late = store.clone();
    let create = tokio::spawn(async move { late.create(satellite(9, Tags::default())).await });
    tokio::task::yield_now().await;
    store.close().await;
    let created = create.await.unwrap();
    let store = DatabaseStore::open(&super::url(folder.path()), crate::Options::default()).await;
    let found = store.unwrap().get(id(9)).await.unwrap().is_some();
    assert_eq!(created.is_ok(), found);
}
