//! What the queue does where the database does not do its part.

mod common;

use std::time::{Duration, Instant};

use common::{Place, hears_all, numbered, within};
use groundcontrol_core::ports::{Broadcast as _, Job, JobName, Nudge, RecurringWork as _, Turn};
use groundcontrol_core::time::Millis;
use groundcontrol_postgres_queue::PostgresQueue;
use groundcontrol_testpostgres::{Server, Stop};

const JOB: Job = Job { name: JobName::new("sweep"), every: Millis::from_secs(3_600) };
const LONG: Millis = Millis::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_notification_can_hold_arrives() {
    let place = Place::make().await;
    let (here, there) = (place.open().await, place.open().await);
    let mut stream = there.subscribe().await;
    // Some 45 bytes each, sent together while the first is on its way.
    let nudges = numbered(1_000);
    nudges.iter().for_each(|nudge| here.send(*nudge));
    hears_all(&mut stream, &nudges).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_nudges_are_found_by_looking() {
    let place = Place::make().await;
    place
        .run(
            "CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT NULL::void'",
        )
        .await;
    // Named after the schema, the system's own functions no longer come first.
    let shadowed = place.url() + "%2Cpg_catalog";
    let open = || PostgresQueue::open(&shadowed, None);
    let (here, there) = (open().await.unwrap(), open().await.unwrap());
    let mut stream = there.subscribe().await;
    let began = Instant::now();
    here.send(Nudge::Events);
    hears_all(&mut stream, &[Nudge::Events]).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_connections_were_cut_hears_that_it_missed_something_and_then_goes_on() {
    let place = Place::make().await;
    let (here, there) = (place.open().await, place.open().await);
    let mut stream = there.subscribe().await;
    place
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'groundcontrol queue'",
        )
        .await;
    hears_all(&mut stream, &[Nudge::Missed]).await;
    here.send(Nudge::Events);
    hears_all(&mut stream, &[Nudge::Events]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_is_survived_and_what_was_sent_meanwhile_arrives() {
    let mut server = Server::durable();
    let place = Place::on(&server).await;
    let (here, there) = (place.open().await, place.open().await);
    let mut stream = there.subscribe().await;
    let lease = held(&here).await;
    server.stop(Stop::Crash);
    here.send(Nudge::Events);
    assert!(here.claim(JOB, LONG).await.is_err());
    server.start();
    hears_all(&mut stream, &[Nudge::Missed]).await;
    hears_all(&mut stream, &[Nudge::Events]).await;
    let turn = within("the queue", async {
        loop {
            match there.claim(JOB, LONG).await {
                Ok(turn) => return turn,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    assert!(matches!(turn.await, Turn::NotBefore(_)), "a lease outlives the server");
    assert_eq!(here.finish(lease).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_nobody_up_and_is_given_up() {
    let server = Server::fast();
    let place = Place::on(&server).await;
    let (here, there) = (place.open().await, place.open().await);
    let mut stream = there.subscribe().await;
    server.freeze();
    let began = Instant::now();
    numbered(5_000).iter().for_each(|nudge| here.send(*nudge));
    assert!(began.elapsed() < Duration::from_secs(1), "sending took {:?}", began.elapsed());
    assert!(within("an answer", here.claim(JOB, LONG)).await.is_err());
    server.thaw();
    // More than can wait was sent: the rest is told as missed …
    hears_all(&mut stream, &[Nudge::Missed]).await;
    // … and once there is room again, what is sent arrives.
    let sending = async {
        loop {
            here.send(Nudge::Events);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = hears_all(&mut stream, &[Nudge::Events]) => {}
        () = sending => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_away_at_the_start_is_used_once_it_is_there() {
    let mut server = Server::fast();
    let place = Place::on(&server).await;
    server.stop(Stop::Fast);
    let (here, there) = tokio::join!(place.open(), place.open());
    let mut stream = there.subscribe().await;
    here.send(Nudge::Events);
    server.start();
    // One may be back before the other: what was sent in between is told as missed.
    hears_all(&mut stream, &[Nudge::Missed]).await;
    here.send(numbered(1)[0]);
    hears_all(&mut stream, &numbered(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_start_together_make_the_tables_once() {
    let place = Place::make().await;
    let open = || async { place.open().await };
    let members = tokio::join!(open(), open(), open(), open(), open());
    let mut stream = members.0.subscribe().await;
    members.4.send(Nudge::Events);
    hears_all(&mut stream, &[Nudge::Events]).await;
}

#[tokio::test]
async fn a_url_that_is_not_understood_is_refused_without_repeating_it() {
    for url in ["mysql://me:secret@db/x", "postgres://me:secret@db:port/x", "secret"] {
        let refused = PostgresQueue::open(url, None).await.err().expect("it is refused");
        let said = refused.to_string();
        assert!(said.contains("postgres://USER") && !said.contains("secret"), "{said}");
    }
}

async fn held(queue: &PostgresQueue) -> groundcontrol_core::ports::Run {
    match queue.claim(JOB, LONG).await {
        Ok(Turn::Yours(run)) => run,
        other => panic!("a new job is due: {other:?}"),
    }
}
