//! What is read from rows that this version would not have written.

use groundcontrol_core::ports::{ListQuery, SatelliteStore, StoreError, WriteOutcome};
use groundcontrol_core::satellite::{Seq, Tags};

use super::{connect, fleet, id, read, satellite, store};

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let (store, _folder) = fleet(1).await;
    let break_it = "UPDATE satellites SET tags = 'nonsense'";
    store.writing().run(break_it).await.unwrap();
    match store.get(id(1)).await {
        Err(StoreError::Corrupt { detail, .. }) => {
            assert!(
                detail.starts_with("satellite 00000000-0000-0000-0000-000000000001"),
                "{detail}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn e4_an_event_of_a_newer_version_is_read_as_none() {
    let (store, _folder) = fleet(1).await;
    let edge = connect(&read(&store, 1).await, 7);
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
    for newer in [
        "UPDATE satellite_connections SET last_event = 'hibernated', last_cause = 'cold'",
        "UPDATE transitions SET event = 'hibernated', cause = 'cold'",
    ] {
        store.writing().run(newer).await.unwrap();
    }
    let record = read(&store, 1).await.record;
    assert_eq!((record.last_event, record.last_cause, record.seq), (None, None, Seq(1)));
    let transition = store.transitions(id(1), None, 1).await.unwrap().remove(0);
    assert_eq!((transition.kind, transition.cause), (None, None));
    assert_eq!(transition.next.unwrap().last_event, None);
}

#[tokio::test]
async fn tags_are_found_whatever_characters_they_have() {
    let (store, _folder) = store().await;
    let keys = ["plain", "a\"b", "back\\slash", "dot.ted", "$[0]", "é☃", "'"];
    for (number, key) in (1..).zip(keys) {
        let tags = Tags::new([(key.to_owned(), "va\"lue\\".to_owned())].into()).unwrap();
        store.create(satellite(number, tags)).await.unwrap();
    }
    for (number, key) in (1..).zip(keys) {
        let tags = vec![(key.to_owned(), "va\"lue\\".to_owned())];
        let query = ListQuery { tags, limit: 10, ..ListQuery::default() };
        let found = store.list(&query).await.unwrap();
        let found: Vec<_> = found.iter().map(|found| found.satellite.id).collect();
        assert_eq!(found, [id(number)], "{key}");
    }
}
