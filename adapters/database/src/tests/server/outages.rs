//! A server that is away, does not answer, or comes back: callers hear it in bounded time, nothing
//! is half done, and the store goes on by itself.

use std::time::{Duration, Instant};

use futures_util::future::join;
use groundcontrol_core::ports::{SatelliteStore, StoreError, StoreResult, WriteOutcome};
use groundcontrol_core::satellite::Seq;
use groundcontrol_testpostgres::{Schema, Server, Stop};
use sea_orm::ConnectionTrait;

use super::super::{connect, id, read};
use super::{eventually, fill, impatient, open_with, pods};
use crate::{DatabaseStore, ServerLimits};

/// What a call may take at most, with the limits of [`impatient`]: a statement that is given up,
/// and a connection that is not made.
const BOUND: Duration = Duration::from_secs(12);

async fn on(server: &Server) -> (Schema, DatabaseStore) {
    let schema = Schema::on(server).await;
    let store = open_with(&schema.url(), impatient()).await;
    fill(&store, 2).await;
    (schema, store)
}

fn is_unavailable<T>(result: &StoreResult<T>) -> bool {
    matches!(result, Err(StoreError::Unavailable { .. }))
}

/// A write and a read both say that the store is unavailable, in bounded time.
async fn both_hear_that_it_is_away(
    store: &DatabaseStore,
    now: groundcontrol_core::time::Timestamp,
) {
    let began = Instant::now();
    let (written, read) = join(store.probe(now), store.get(id(1))).await;
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert!(is_unavailable(&written), "{written:?}");
    assert!(is_unavailable(&read), "{read:?}");
}

async fn works(store: &DatabaseStore) -> bool {
    let now = store.clock().now();
    store.probe(now).await.is_ok() && store.get(id(1)).await.is_ok_and(|found| found.is_some())
}

#[tokio::test]
async fn a_server_that_is_away_is_heard_of_in_bounded_time_and_found_again_when_it_is_back() {
    let mut server = Server::durable();
    let (_schema, store) = on(&server).await;
    let edge = connect(&read(&store, 1).await, 7);
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
    for stop in [Stop::Fast, Stop::Crash] {
        server.stop(stop);
        both_hear_that_it_is_away(&store, store.clock().now()).await;
        server.start();
        eventually("the store works again", async || works(&store).await).await;
        assert_eq!(read(&store, 1).await.record.seq, Seq(1), "{stop:?}");
    }
}

#[tokio::test]
async fn a_restart_between_two_calls_is_not_noticed() {
    let mut server = Server::fast();
    let (_schema, store) = on(&server).await;
    server.stop(Stop::Fast);
    server.start();
    assert!(works(&store).await);
    let edge = connect(&read(&store, 1).await, 7);
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_bounded_time() {
    let server = Server::fast();
    let (_schema, store) = on(&server).await;
    let now = store.clock().now();
    server.freeze();
    both_hear_that_it_is_away(&store, now).await;
    // Every connection that reads is in doubt by now, and no call waits for one without end.
    for _ in 0..3 {
        both_hear_that_it_is_away(&store, now).await;
    }
    server.thaw();
    eventually("the store works again", async || works(&store).await).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_while_a_transaction_is_open_is_replaced_and_all_is_done_once() {
    let (schema, stores) = pods(1, 2).await;
    // The first transition ends its own connection, before anything of it is committed.
    schema
        .run(
            "CREATE SEQUENCE attempts; \
             CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('attempts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER cut BEFORE INSERT ON transitions FOR EACH ROW EXECUTE FUNCTION cut()",
        )
        .await;
    let edge = connect(&read(&stores[0], 1).await, 7);
    assert_eq!(stores[0].record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
    assert_eq!(stores[0].transitions(id(1), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_lost_at_the_commit_leaves_the_outcome_unknown_and_is_not_repeated() {
    let (schema, stores) = pods(1, 2).await;
    schema
        .run(
            "CREATE SEQUENCE attempts; \
             CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM nextval('attempts'); PERFORM pg_terminate_backend(pg_backend_pid()); \
             RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON transitions \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()",
        )
        .await;
    let edge = connect(&read(&stores[0], 1).await, 7);
    let written = stores[0].record_edges(vec![edge]).await;
    assert!(matches!(written, Err(StoreError::OutcomeUnknown { .. })), "{written:?}");
    let connection = schema.connect().await;
    let asked = sea_orm::Statement::from_string(
        connection.get_database_backend(),
        "SELECT last_value FROM attempts",
    );
    let row = connection.query_one_raw(asked).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);
    schema.run("DROP TRIGGER cut ON transitions").await;
    let edge = connect(&read(&stores[0], 1).await, 7);
    assert_eq!(stores[0].record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn a_pod_that_stops_with_locks_in_its_hands_holds_up_no_other_for_long() {
    let (schema, stores) = pods(1, 1).await;
    let limits = ServerLimits { held: Duration::from_millis(500), ..ServerLimits::default() };
    let stopped = open_with(&schema.url(), limits).await;
    let writer = stopped.writing();
    writer.begin().await.unwrap();
    writer.lock(crate::dialect::Lock::Events).await.unwrap();
    let edge = connect(&read(&stores[0], 1).await, 7);
    let began = Instant::now();
    assert_eq!(stores[0].record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_nothing_of_it_stays() {
    let (schema, _stores) = pods(1, 1).await;
    let store = open_with(&schema.url(), impatient()).await;
    let edge = connect(&read(&store, 1).await, 7);
    let holder = schema.connect().await;
    holder
        .execute_unprepared("BEGIN; SELECT 1 FROM satellite_connections FOR UPDATE")
        .await
        .unwrap();
    let began = Instant::now();
    let written = store.record_edges(vec![edge.clone()]).await;
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert!(is_unavailable(&written), "{written:?}");
    holder.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(read(&store, 1).await.record.seq, Seq(0));
    assert_eq!(store.record_edges(vec![edge]).await, Ok(vec![WriteOutcome::Applied]));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_at_the_start_is_named_as_the_trouble() {
    let url = "postgres://pod:secret@127.0.0.1:1/fleet";
    let options = crate::Options { limits: impatient(), ..crate::Options::default() };
    let began = Instant::now();
    let error = DatabaseStore::open(url, options).await.unwrap_err();
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let text = format!("{error} {error:?}");
    assert!(text.contains("connect to the database server"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
