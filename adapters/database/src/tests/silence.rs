//! A silence that was decided in time and is written too late (rule T5).

use groundcontrol_core::connection::{Command, Decision, decide};
use groundcontrol_core::ports::{EdgeWrite, Guard, SatelliteStore, WriteOutcome};
use groundcontrol_core::time::{Millis, Timestamp};

use super::{SETTLE, connect, fleet, id, read};
use crate::DatabaseStore;

/// Satellite 1 as lost, decided at `now` under a lease of `lease` from the beginning of time on.
async fn loss(store: &DatabaseStore, lease: Millis, now: Timestamp) -> EdgeWrite {
    let edge = connect(&read(store, 1).await, 7);
    store.renew_watch(&edge.origin.pod, Timestamp::from_millis(0), lease).await.unwrap();
    store.record_edges(vec![edge.clone()]).await.unwrap();
    let read = read(store, 1).await;
    let Decision::Record(change) =
        decide(&read.record, &Command::Sweep, &read.context(now, SETTLE))
    else {
        panic!("the satellite is overdue");
    };
    EdgeWrite { read, change, guard: Guard::Silence, origin: edge.origin, now }
}

#[tokio::test]
async fn t5_a_lease_that_was_alive_at_the_decision_only_does_not_count() {
    let (store, _folder) = fleet(1).await;
    let day = Millis::from_secs(24 * 3600);
    let loss = loss(&store, day, Timestamp::from_millis(0) + day).await;
    assert_eq!(store.record_edges(vec![loss]).await, Ok(vec![WriteOutcome::Conflict]));
    assert_eq!(store.transitions(id(1), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn t5_a_lease_that_is_alive_at_the_write_counts() {
    let (store, _folder) = fleet(1).await;
    let now = store.clock().now();
    let lease = now.since(Timestamp::from_millis(0)) + Millis::from_secs(3600);
    let loss = loss(&store, lease, now).await;
    assert_eq!(store.record_edges(vec![loss]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn t5_a_shorter_renewal_does_not_cut_a_lease() {
    let (store, _folder) = fleet(1).await;
    let (start, now) = (Timestamp::from_millis(0), store.clock().now());
    let lease = now.since(start) + Millis::from_secs(3600);
    let loss = loss(&store, lease, now).await;
    store.renew_watch(&loss.origin.pod, start, Millis::new(1)).await.unwrap();
    assert_eq!(store.record_edges(vec![loss]).await, Ok(vec![WriteOutcome::Applied]));
}
