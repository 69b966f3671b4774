//! Writes of several pods that get into each other's way.

use futures_util::future::{join, join_all};
use groundcontrol_core::ports::{HeartbeatWrite, SatelliteStore, WriteOutcome};
use groundcontrol_core::satellite::{Epoch, Tags};
use groundcontrol_core::time::{Millis, Timestamp};
use sea_orm::ConnectionTrait;

use super::super::{at, connect, id, read, satellite};
use super::{eventually, pods};
use crate::DatabaseStore;
use crate::dialect::{Dialect, Meaning};

/// Connects satellites 1 to `count` and answers heartbeats of them all.
async fn connected(store: &DatabaseStore, count: u128) -> Vec<HeartbeatWrite> {
    let reads = join_all((1..=count).map(|number| read(store, number))).await;
    let edges = reads.iter().map(|read| connect(read, 7)).collect();
    store.record_edges(edges).await.unwrap();
    (1..=count)
        .map(|number| HeartbeatWrite { satellite: id(number), epoch: Epoch(1), at: at(2_000) })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pods_whose_groups_overlap_in_any_order_all_get_through() {
    let (_schema, stores) = pods(4, 60).await;
    let beats = connected(&stores[0], 60).await;
    let reads = join_all((1..=60).map(|number| read(&stores[0], number))).await;
    let busy = stores.iter().enumerate().map(|(pod, store)| {
        let (store, mut beats, mut reads) = (store.clone(), beats.clone(), reads.clone());
        beats.rotate_left(17 * pod);
        reads.rotate_left(13 * pod);
        tokio::spawn(async move {
            for round in 0..10 {
                let edges = reads.iter().map(|read| connect(read, 100 + round)).collect();
                let late = beats[0].at + Millis::new(1_000);
                let writing = store.record_edges(edges);
                let (written, heard) = join(writing, store.record_heartbeats(&beats, late)).await;
                let (written, _) = (written.unwrap(), heard.unwrap());
                let applied = written.iter().filter(|o| **o == WriteOutcome::Applied).count();
                assert!(applied == 0 || applied == 60 || round == 0, "{applied} in {round}");
            }
        })
    });
    for pod in busy.collect::<Vec<_>>() {
        pod.await.unwrap();
    }
    for number in 1..=60 {
        let history = stores[0].transitions(id(number), None, 10).await.unwrap();
        assert_eq!(history.len(), 2, "the connect, and one takeover of four pods'");
    }
}

#[test]
fn what_is_worth_another_try_is_told_by_its_code() {
    for code in ["40001", "40P01"] {
        assert_eq!(Dialect::Postgres.meaning(code), Meaning::Overtaken, "{code}");
    }
    for code in ["23505", "22021", "42501"] {
        assert_eq!(Dialect::Postgres.meaning(code), Meaning::OneStatement, "{code}");
    }
    for code in ["57014", "53300", "55P03", "40003", "XX000"] {
        assert_eq!(Dialect::Postgres.meaning(code), Meaning::Unavailable, "{code}");
    }
}

#[tokio::test]
async fn a_group_that_ended_in_a_deadlock_is_tried_again() {
    let (schema, stores) = pods(1, 2).await;
    let beats = connected(&stores[0], 2).await;
    // Somebody else takes the same two records in the other order.
    let other = schema.connect().await;
    let lock = "SELECT 1 FROM satellite_connections WHERE satellite_id = \
        '00000000-0000-0000-0000-00000000000";
    other.execute_unprepared("BEGIN").await.unwrap();
    // The waiter whose own wait makes the circle is the one that is told: this one waits longer.
    other.execute_unprepared("SET LOCAL deadlock_timeout = '20s'").await.unwrap();
    other.execute_unprepared(&format!("{lock}2' FOR UPDATE")).await.unwrap();
    let writing = tokio::spawn({
        let store = stores[0].clone();
        async move { store.record_heartbeats(&beats, at(3_000)).await }
    });
    let waits = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        "SELECT count(*) FROM pg_locks WHERE NOT granted",
    );
    let watcher = schema.connect().await;
    eventually("the heartbeats wait for the second record", async || {
        let row = watcher.query_one_raw(waits.clone()).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap() > 0
    })
    .await;
    other.execute_unprepared(&format!("{lock}1' FOR UPDATE")).await.unwrap();
    other.execute_unprepared("COMMIT").await.unwrap();
    assert_eq!(writing.await.unwrap(), Ok(vec![]));
    assert_eq!(read(&stores[0], 1).await.record.last_heartbeat_at, Some(at(2_000)));
}

#[tokio::test]
async fn of_two_that_take_one_name_at_once_the_later_hears_that_it_is_taken() {
    use groundcontrol_core::ports::{SatelliteUpdate, UpdateOutcome};
    let (_schema, stores) = pods(2, 2).await;
    for round in 0..10 {
        let name = Some(format!("wanted {round}").parse().unwrap());
        let update = SatelliteUpdate { name, ..SatelliteUpdate::default() };
        let (one, two) =
            join(stores[0].update(id(1), update.clone()), stores[1].update(id(2), update)).await;
        let outcomes = [one.unwrap(), two.unwrap()];
        assert!(outcomes.contains(&UpdateOutcome::Updated), "{outcomes:?}");
        assert!(outcomes.contains(&UpdateOutcome::NameTaken), "{outcomes:?}");
    }
}

#[tokio::test]
async fn text_that_the_database_cannot_hold_takes_no_other_write_with_it() {
    let (_schema, stores) = pods(1, 1).await;
    let mut strange = satellite(9, Tags::default());
    strange.satellite.agent.version = Some("1\0".to_owned());
    let store = &stores[0];
    let edge = connect(&read(store, 1).await, 7);
    let (refused, written) = join(store.create(strange), store.record_edges(vec![edge])).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(written, Ok(vec![WriteOutcome::Applied]));
    assert_eq!(store.get(id(9)).await, Ok(None));
}

#[tokio::test]
async fn t5_a_span_that_began_anew_meanwhile_undoes_no_guard() {
    use groundcontrol_core::connection::{Command, Decision, decide};
    use groundcontrol_core::ports::{EdgeWrite, Guard};
    let (_schema, stores) = pods(2, 1).await;
    let [watching, reviving] = &stores[..] else { panic!("two pods") };
    let edge = connect(&read(watching, 1).await, 7);
    let (start, now) = (Timestamp::from_millis(0), watching.clock().now());
    let pod = edge.origin.pod.clone();
    let lease = now.since(start) + Millis::from_secs(3_600);
    watching.renew_watch(&pod, start, lease).await.unwrap();
    watching.record_edges(vec![edge.clone()]).await.unwrap();
    let read = read(watching, 1).await;
    let context = read.context(now, super::super::SETTLE);
    let Decision::Record(change) = decide(&read.record, &Command::Sweep, &context) else {
        panic!("the satellite is overdue");
    };
    let loss = EdgeWrite { read, change, guard: Guard::Silence, origin: edge.origin, now };
    // The span ends and begins anew between the decision and the write.
    reviving.end_watch(&pod, start).await.unwrap();
    reviving.renew_watch(&pod, now, lease).await.unwrap();
    assert_eq!(watching.record_edges(vec![loss]).await, Ok(vec![WriteOutcome::Conflict]));
}
