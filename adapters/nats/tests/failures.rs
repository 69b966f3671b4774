//! What the queue does where NATS does not do its part.

mod common;

use std::time::{Duration, Instant};

use common::{hears_all, numbered, open, within};
use groundcontrol_core::ports::{
    Broadcast as _, Job, JobName, Nudge, NudgeStream, QueueResult, RecurringWork as _, Run, Turn,
};
use groundcontrol_core::time::Millis;
use groundcontrol_nats::NatsQueue;
use groundcontrol_testnats::{Place, Server, Stop};

const JOB: Job = Job { name: JobName::new("sweep"), every: Millis::from_secs(3_600) };
const LONG: Millis = Millis::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn more_nudges_than_one_message_holds_arrive() {
    let place = Place::make();
    let (here, there) = (open(&place).await, open(&place).await);
    let mut stream = there.subscribe().await;
    let nudges = numbered(1_000);
    nudges.iter().for_each(|nudge| here.send(*nudge));
    hears_all(&mut stream, &nudges).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_begin_at_the_same_moment_make_the_stream_and_one_has_the_job() {
    for _ in 0..10 {
        let place = Place::make();
        let pods = [open(&place).await, open(&place).await, open(&place).await];
        let claims = pods
            .map(|pod| tokio::spawn(async move { within("a turn", pod.claim(JOB, LONG)).await }));
        let mut won = 0;
        for claim in claims {
            let turn = claim.await.expect("a claim does not panic").expect("the queue answers");
            won += usize::from(matches!(turn, Turn::Yours(_)));
        }
        assert_eq!(won, 1, "one pod has the job");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fleets_with_other_prefixes_do_not_meet() {
    let (place, other) = (Place::make(), Place::make());
    let (here, there) = (open(&place).await, open(&other).await);
    let mut stream = there.subscribe().await;
    here.send(numbered(1)[0]);
    held(&here).await;
    held(&there).await;
    there.send(Nudge::Events);
    let heard = within("a nudge", stream.next()).await;
    assert_eq!(heard, Some(Nudge::Events));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_is_survived_and_leases_with_it() {
    let mut server = Server::start_new();
    let place = Place::on(&server.url());
    let (here, there) = (open(&place).await, open(&place).await);
    let mut stream = there.subscribe().await;
    let run = held(&here).await;
    server.stop(Stop::Crash);
    gone(&here).await;
    server.start();
    hears_all(&mut stream, &[Nudge::Missed]).await;
    hears_again(&mut stream, &here).await;
    let turn = again(|| there.claim(JOB, LONG)).await;
    assert!(matches!(turn, Turn::NotBefore(_)), "a lease outlives the server: {turn:?}");
    assert!(again(|| here.finish(run.clone())).await);
}

// On one thread nothing leaves while the flood is sent: what is too much does not depend on who is faster.
#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up_and_is_given_up() {
    let server = Server::start_new();
    let place = Place::on(&server.url());
    let (here, there) = (open(&place).await, open(&place).await);
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
    hears_again(&mut stream, &here).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_away_at_the_start_is_used_once_it_is_there() {
    let mut server = Server::start_new();
    let place = Place::on(&server.url());
    server.stop(Stop::Fast);
    let (here, there) = tokio::join!(open(&place), open(&place));
    let mut stream = there.subscribe().await;
    here.send(Nudge::Events);
    assert!(here.claim(JOB, LONG).await.is_err());
    server.start();
    // One may be back before the other: what was sent in between is told as missed.
    hears_all(&mut stream, &[Nudge::Missed]).await;
    again(|| there.claim(JOB, LONG)).await;
    hears_again(&mut stream, &here).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_jetstream_nudges_work_and_jobs_say_what_is_missing() {
    let server = Server::with("jetstream: disabled");
    let place = Place::on(&server.url());
    let (here, there) = (open(&place).await, open(&place).await);
    let mut stream = there.subscribe().await;
    here.send(Nudge::Events);
    hears_all(&mut stream, &[Nudge::Events]).await;
    let error = here.claim(JOB, LONG).await.expect_err("nobody keeps jobs").to_string();
    assert!(error.starts_with("could not claim a job: the queue is unavailable"), "{error}");
}

/// Sends until it is heard: one pod may be back before the other.
async fn hears_again(stream: &mut Box<dyn NudgeStream>, sender: &NatsQueue) {
    let sending = async {
        loop {
            sender.send(Nudge::Events);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = hears_all(stream, &[Nudge::Events]) => {}
        () = sending => {}
    }
}

async fn held(queue: &NatsQueue) -> Run {
    match queue.claim(JOB, LONG).await {
        Ok(Turn::Yours(run)) => run,
        other => panic!("a new job is due: {other:?}"),
    }
}

/// Waits until the queue notices that it lost its server.
async fn gone(queue: &NatsQueue) {
    let noticed = async {
        while queue.claim(JOB, LONG).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("the loss", noticed).await;
}

/// Asks until there is an answer.
async fn again<T, F: Future<Output = QueueResult<T>>>(ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    within("an answer", asking).await
}
