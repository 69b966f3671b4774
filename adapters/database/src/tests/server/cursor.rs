//! A cursor never skips: the order of events is the order of commits, whichever pod commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use groundcontrol_core::ports::{EventCursor, RecordedEvent, SatelliteStore, WriteOutcome};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_testpostgres::Schema;
use sea_orm::ConnectionTrait;

use super::super::{connect, id, read};
use super::{eventually, pods};
use crate::DatabaseStore;

/// Makes commits that record the transition of satellite 1 wait for whoever holds lock 77: its
/// position is taken, and the transaction stays open.
const HELD_AT_COMMIT: &str = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$; \
    CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON transitions \
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
    WHEN (NEW.satellite_id = '00000000-0000-0000-0000-000000000001') \
    EXECUTE FUNCTION hold()";

/// Makes every commit take its time, each another.
const SLOW_COMMITS: &str = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    PERFORM pg_sleep(random() * 0.01); RETURN NULL; END $$; \
    CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON transitions \
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()";

async fn connect_edge(store: &DatabaseStore, number: u128, session: u128) {
    let edge = connect(&read(store, number).await, session);
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

fn satellites(events: &[RecordedEvent]) -> Vec<SatelliteId> {
    events.iter().filter_map(|event| Some(event.recorded.transition()?.satellite)).collect()
}

/// How many sessions wait for a lock of this kind on this schema's table.
async fn waiting(schema: &Schema, condition: &str) -> i64 {
    let asked = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND {condition}");
    let connection = schema.connect().await;
    let asked = sea_orm::Statement::from_string(connection.get_database_backend(), asked);
    connection.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_reader_does_not_skip_what_a_transaction_held_open_commits_later() {
    let (schema, stores) = pods(3, 2).await;
    let [slow, quick, reader] = &stores[..] else { panic!("three pods") };
    schema.run(HELD_AT_COMMIT).await;
    let holder = schema.connect().await;
    holder.execute_unprepared("SELECT pg_advisory_lock(77)").await.unwrap();
    let held = tokio::spawn({
        let slow = slow.clone();
        async move { connect_edge(&slow, 1, 7).await }
    });
    let at_commit = "locktype = 'advisory' AND objid = 77";
    eventually("one is held at its commit", async || waiting(&schema, at_commit).await == 1).await;
    // Another pod records an edge meanwhile, and a reader looks whenever it likes.
    let other = tokio::spawn({
        let quick = quick.clone();
        async move { connect_edge(&quick, 2, 8).await }
    });
    let turn = "locktype = 'advisory' AND classid = 1734541313 \
        AND objid = 'transitions'::regclass::oid";
    eventually("the other is done or waits for its turn", async || {
        other.is_finished() || waiting(&schema, turn).await == 1
    })
    .await;
    let mut seen = reader.events_after(None, 10).await.unwrap();
    let reached = seen.last().map(|event| event.cursor);
    holder.execute_unprepared("SELECT pg_advisory_unlock(77)").await.unwrap();
    held.await.unwrap();
    other.await.unwrap();
    seen.extend(reader.events_after(reached, 10).await.unwrap());
    assert_eq!(satellites(&seen), [id(1), id(2)]);
    assert_eq!(seen, reader.events_after(None, 10).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_sees_every_event_of_all_pods_once_and_in_order_while_they_write() {
    const PODS: usize = 4;
    const SATELLITES: u128 = 40;
    let (schema, stores) = pods(PODS + 1, SATELLITES).await;
    schema.run(SLOW_COMMITS).await;
    let done = Arc::new(AtomicBool::new(false));
    let following = tokio::spawn({
        let (reader, done) = (stores[PODS].clone(), Arc::clone(&done));
        async move {
            let mut seen: Vec<RecordedEvent> = Vec::new();
            loop {
                let ends = done.load(Ordering::SeqCst);
                let reached: Option<EventCursor> = seen.last().map(|event| event.cursor);
                let page = reader.events_after(reached, 3).await.unwrap();
                if page.is_empty() && ends {
                    return seen;
                }
                seen.extend(page);
            }
        }
    });
    let writing = (0..PODS).map(|pod| {
        let store = stores[pod].clone();
        tokio::spawn(async move {
            for round in 0..3 {
                let own = (1..=SATELLITES).filter(|number| *number as usize % PODS == pod);
                for number in own {
                    connect_edge(&store, number, 100 * (round + 1) + number).await;
                }
            }
        })
    });
    for writing in writing.collect::<Vec<_>>() {
        writing.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = following.await.unwrap();
    assert_eq!(seen.len(), 3 * SATELLITES as usize);
    assert_eq!(seen, stores[0].events_after(None, 1_000).await.unwrap());
}
