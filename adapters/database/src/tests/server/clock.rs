//! Store time on a server is the server's, whatever a pod's own clocks say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use groundcontrol_core::ports::{Clock, SatelliteStore};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_testpostgres::Schema;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use super::super::at;
use super::eventually;
use crate::postgres::{Address, Readers};
use crate::{DatabaseStore, MachineTime, Options, ServerClock, ServerLimits};

const HOUR: i64 = 3_600_000;

async fn told(connection: &DatabaseConnection) -> Timestamp {
    let asked = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let asked = Statement::from_string(connection.get_database_backend(), asked);
    let row = connection.query_one_raw(asked).await.unwrap().unwrap();
    Timestamp::from_millis(row.try_get_by_index(0).unwrap())
}

/// A machine whose wall clock stands `off` milliseconds beside 2020.
fn machine(off: i64) -> MachineTime {
    let began = Instant::now();
    MachineTime::new(move || at(1_577_836_800_000 + off), move || began.elapsed())
}

#[tokio::test]
async fn p11_pods_whose_wall_clocks_are_hours_off_show_the_servers_time_within_their_error() {
    let schema = Schema::make().await;
    let connection = schema.connect().await;
    for off in [-5 * HOUR, 0, 5 * HOUR] {
        let options = Options { machine: machine(off), ..Options::default() };
        let clock = DatabaseStore::open(&schema.url(), options).await.unwrap().clock();
        assert!(clock.error() < Millis::new(125), "{}", clock.error());
        for _ in 0..5 {
            let before = told(&connection).await;
            let shown = clock.now();
            let after = told(&connection).await;
            assert!(shown + clock.error() >= before, "{shown} is before {before}");
            assert!(shown <= after + clock.error(), "{shown} is after {after}");
        }
    }
}

/// A clock on a machine whose monotonic clock is set by hand.
async fn by_hand(schema: &Schema) -> (Arc<ServerClock>, Arc<Readers>, Arc<AtomicU64>) {
    let running = Arc::new(AtomicU64::new(1_000));
    let read = Arc::clone(&running);
    let machine =
        MachineTime::new(|| at(0), move || Duration::from_millis(read.load(Ordering::SeqCst)));
    let address = Address::of(&schema.url(), None, ServerLimits::default()).unwrap();
    let server = Arc::new(Readers::new(&address, 1));
    let (clock, measuring) = ServerClock::start(machine, Arc::clone(&server)).await.unwrap();
    measuring.abort();
    (clock, server, running)
}

#[tokio::test]
async fn p11_a_machine_that_slept_finds_the_time_again_when_it_is_measured() {
    let schema = Schema::make().await;
    let connection = schema.connect().await;
    let (clock, server, _) = by_hand(&schema).await;
    let began = clock.now();
    eventually("the server's time passes", async || {
        told(&connection).await > began + Millis::new(50)
    })
    .await;
    assert_eq!(clock.now(), began);
    let before = told(&connection).await;
    clock.measure(&server).await.unwrap();
    assert!(clock.now() + clock.error() >= before, "{} is before {before}", clock.now());
}

#[tokio::test]
async fn p11_a_clock_that_ran_ahead_waits_for_the_servers_and_does_not_go_back() {
    let schema = Schema::make().await;
    let (clock, server, running) = by_hand(&schema).await;
    running.fetch_add(10_000, Ordering::SeqCst);
    let ahead = clock.now();
    clock.measure(&server).await.unwrap();
    assert_eq!(clock.now(), ahead);
    assert!(clock.error() > Millis::from_secs(5), "{}", clock.error());
    running.fetch_add(1_000, Ordering::SeqCst);
    let slower = clock.now().since(ahead);
    assert!(slower >= Millis::new(499) && slower <= Millis::new(501), "{slower}");
}

#[tokio::test]
async fn the_error_grows_while_nobody_measures() {
    let schema = Schema::make().await;
    let (clock, _server, running) = by_hand(&schema).await;
    let before = clock.error();
    running.fetch_add(30_000, Ordering::SeqCst);
    assert_eq!(clock.error(), before + Millis::new(30));
}

#[tokio::test]
async fn the_task_that_measures_ends_with_the_store() {
    let schema = Schema::make().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let store = DatabaseStore::open(&schema.url(), Options::default()).await.unwrap();
    store.probe(at(1)).await.unwrap();
    assert!(tasks() > before);
    store.close().await;
    drop(store);
    eventually("no task is left", async || tasks() == before).await;
}
