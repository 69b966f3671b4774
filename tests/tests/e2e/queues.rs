//! Two pods over one PostgreSQL that tell each other to look again, through each queue, and what
//! they do while it is away.

use std::time::Duration;

use groundcontrol_testkit::server::{
    Api, Beating, EventStream, Satellite, Server, Site, Socket, eventually,
};
use groundcontrol_testnats as nats;
use groundcontrol_testpostgres as postgres;
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::tls::{certificates, text};

/// Heartbeats so rare that nothing in a test comes from one.
const RARE: [&str; 4] = ["--heartbeat-interval", "15s", "--offline-threshold", "45s"];
/// How often a time is measured.
const ROUNDS: usize = 11;
/// A pod that is told nothing looks for events once a second: half of that in the middle.
const TOLD: Duration = Duration::from_millis(250);
/// Much less than the heartbeat by which a pod notices what it was not told.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A pod with what talks to it.
struct Pod {
    site: Site,
    server: Server,
    api: Api,
}

impl Pod {
    async fn start(database: &str, more: &[&str]) -> Self {
        let site = Site::new();
        let server = site.serve_with(&[&["--database", database], more].concat()).await;
        let api = site.api(&server);
        Self { site, server, api }
    }

    async fn connect(&self, satellite: &Satellite) -> Socket {
        Socket::connect(&self.server, satellite).await
    }

    async fn is_ready(&self) -> bool {
        self.api.get("/readyz").await.status == StatusCode::OK
    }

    /// Waits until the pod says that it reaches the queue, or does not.
    async fn reaches_the_queue(&self, reaches: bool) {
        let line = format!("groundcontrol_queue_connected {}", u8::from(reaches));
        eventually(&line, async || {
            let metrics = self.api.get("/metrics").await.body;
            let shows = metrics.as_str().is_some_and(|text| text.lines().any(|l| l == line));
            shows.then_some(())
        })
        .await;
    }

    /// The runs of a job that recurs every second which this pod did.
    async fn runs(&self) -> u64 {
        let start = "groundcontrol_job_runs_total{job=\"token-overlaps\",outcome=\"done\"} ";
        let metrics = self.api.get("/metrics").await.body;
        let count =
            metrics.as_str().and_then(|text| text.lines().find_map(|l| l.strip_prefix(start)));
        count.map_or(0, |count| count.parse().expect("it is a number"))
    }

    async fn is_ready_again(&self, ready: bool) {
        eventually("readiness changes", async || (self.is_ready().await == ready).then_some(()))
            .await;
    }
}

async fn two(database: &str, more: &[&str]) -> (Pod, Pod) {
    let here = Pod::start(database, more).await;
    (here, Pod::start(database, more).await)
}

/// The middle and the greatest of some times.
fn middle_and_most(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

/// Pods hear at once what the other did: events, takeovers, revocations, removals.
#[allow(clippy::print_stdout, reason = "the times are worth a look where they pass too")]
async fn hear_each_other(queue: &str, here: &Pod, there: &Pod) {
    let mut stream = EventStream::open(&there.api, None).await;
    let (mut events, mut takeovers, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let satellite = here.api.create(&here.site).await;
        let begun = Instant::now();
        let mut old = here.connect(&satellite).await;
        let event = stream.event().await;
        events.push(begun.elapsed());
        assert_eq!((event.kind(), event.data["contextkey"].as_str()), of_connect(&satellite));
        held.push(there.connect(&satellite).await);
        let accepted = Instant::now();
        assert_eq!(old.ended().await.1, Some(4409));
        takeovers.push(accepted.elapsed());
        stream.event().await;
    }
    let (event, latest_event) = middle_and_most(events);
    let (takeover, latest_takeover) = middle_and_most(takeovers);
    println!(
        "through {queue}: from dialling pod A to the event on pod B's stream {event:?}, at most \
         {latest_event:?}; from the takeover on B to the close on A {takeover:?}, at most \
         {latest_takeover:?}"
    );
    assert!(event < TOLD, "events are found by looking only: {event:?}");
    assert!(latest_takeover < AT_ONCE, "a socket hears of its takeover after {latest_takeover:?}");
    end_sockets(here, there).await;
}

/// Of two pods one does each run of a job, and where one dies the other does all.
async fn share_jobs(here: Pod, there: Pod) {
    let begun = Instant::now();
    let before = here.runs().await + there.runs().await;
    let both = eventually("ten more runs are done", async || {
        let runs = here.runs().await + there.runs().await;
        (runs >= before + 10).then_some(runs - before)
    })
    .await;
    let seconds = begun.elapsed().as_secs();
    assert!(both <= seconds + 2, "{both} runs in {seconds} s: they do each twice");
    here.server.kill().await;
    let alone = there.runs().await;
    eventually("the other does its work", async || (there.runs().await >= alone + 3).then_some(()))
        .await;
}

fn of_connect(satellite: &Satellite) -> (&'static str, Option<&str>) {
    ("satellite.connected", Some(&satellite.id))
}

/// What is revoked or removed on one pod ends the sockets of the other, though they are silent.
async fn end_sockets(here: &Pod, there: &Pod) {
    let revoked = here.api.create(&here.site).await;
    let removed = here.api.create(&here.site).await;
    let mut sockets = [here.connect(&revoked).await, here.connect(&removed).await];
    let begun = Instant::now();
    there.api.rotate(&there.site, &revoked.id, None).await;
    there.api.delete(&format!("/api/v1/satellites/{}", removed.id)).await;
    for socket in &mut sockets {
        let (messages, code) = socket.ended().await;
        assert_eq!(messages.last().map(|said| &said["type"]), Some(&json!("shutdown")));
        assert_eq!(code, Some(4403));
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

/// A silent socket hears that another pod took its session over: nothing but the queue tells it.
async fn is_told_of_a_takeover(here: &Pod, there: &Pod) {
    let satellite = here.api.create(&here.site).await;
    let mut old = here.connect(&satellite).await;
    let _new = there.connect(&satellite).await;
    assert_eq!(old.ended().await.1, Some(4409));
}

/// Everything comes to the same end without a queue: streams look by themselves, and sockets of
/// satellites that send heartbeats are told by these.
async fn converge_without_a_queue(here: &Pod, there: &Pod) {
    let mut stream = EventStream::open(&there.api, None).await;
    let [taken, revoked, removed] = [
        here.api.create(&here.site).await,
        here.api.create(&here.site).await,
        here.api.create(&here.site).await,
    ];
    let on_taken = Beating::new(here.connect(&taken).await);
    let event = stream.event().await;
    assert_eq!((event.kind(), event.data["contextkey"].as_str()), of_connect(&taken));
    let on_revoked = Beating::new(here.connect(&revoked).await);
    let on_removed = Beating::new(here.connect(&removed).await);
    let _new = there.connect(&taken).await;
    there.api.rotate(&there.site, &revoked.id, None).await;
    there.api.delete(&format!("/api/v1/satellites/{}", removed.id)).await;
    assert_eq!(on_taken.ended().await.code, Some(4409));
    // That it was revoked, its agent hears when it dials again.
    assert_eq!(on_revoked.ended().await.code, Some(4409));
    assert_eq!(on_removed.ended().await.code, Some(4403));
}

#[tokio::test(flavor = "multi_thread")]
async fn through_postgresql_pods_hear_at_once_what_the_other_did_and_share_jobs() {
    let schema = postgres::Schema::make().await;
    // On a server it is the default.
    let (here, there) = two(&schema.url(), &RARE).await;
    hear_each_other("PostgreSQL", &here, &there).await;
    share_jobs(here, there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_nats_pods_hear_at_once_what_the_other_did_and_share_jobs() {
    let (schema, place) = (postgres::Schema::make().await, nats::Place::make());
    let queue = ["--queue", &place.url, "--queue-prefix", &place.prefix];
    let (here, there) = two(&schema.url(), &[&queue[..], &RARE[..]].concat()).await;
    hear_each_other("NATS", &here, &there).await;
    share_jobs(here, there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_tell_each_other_anything_come_to_the_same_end_and_are_warned() {
    let schema = postgres::Schema::make().await;
    let (here, there) = two(&schema.url(), &["--queue", "memory"]).await;
    converge_without_a_queue(&here, &there).await;
    assert!(here.site.logged().contains("--queue memory reaches no other pod"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_all_goes_on_and_once_it_is_back_pods_tell_each_other_again() {
    let schema = postgres::Schema::make().await;
    let mut queue = nats::Server::start_new();
    let url = queue.url();
    let (here, there) = two(&schema.url(), &["--queue", &url]).await;
    for pod in [&here, &there] {
        pod.reaches_the_queue(true).await;
    }
    queue.stop(nats::Stop::Crash);
    for pod in [&here, &there] {
        pod.reaches_the_queue(false).await;
        assert!(pod.is_ready().await, "the queue is no reason to send nobody here");
        assert!(pod.site.logged().contains("the queue is away"));
    }
    converge_without_a_queue(&here, &there).await;
    queue.start();
    for pod in [&here, &there] {
        pod.reaches_the_queue(true).await;
        assert!(pod.site.logged().contains("the queue is back"));
    }
    is_told_of_a_takeover(&here, &there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_starts_while_nats_is_away_and_uses_it_once_it_is_there() {
    let schema = postgres::Schema::make().await;
    let mut queue = nats::Server::start_new();
    let url = queue.url();
    queue.stop(nats::Stop::Fast);
    let pod = Pod::start(&schema.url(), &["--queue", &url]).await;
    assert!(pod.is_ready().await);
    pod.reaches_the_queue(false).await;
    queue.start();
    pod.reaches_the_queue(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_pod_checks_the_authority_of_nats_and_shows_a_certificate_of_its_own() {
    let (schema, place) = (postgres::Schema::make().await, Site::new());
    let files = certificates(place.folder());
    let [ca, cert, key] = [text(&files.ca), text(&files.cert), text(&files.key)];
    let queue = nats::Server::with(&format!(
        "tls {{ cert_file: {cert:?}, key_file: {key:?}, ca_file: {ca:?}, verify: true }}"
    ));
    let url = queue.url().replace("nats://", "tls://");
    let known = ["--queue", &url, "--queue-ca-file", ca, "--queue-tls-cert", cert];
    let known = [&known[..], &["--queue-tls-key", key]].concat();
    Pod::start(&schema.url(), &known).await.reaches_the_queue(true).await;
    let stranger = Pod::start(&schema.url(), &["--queue", &url]).await;
    stranger.reaches_the_queue(false).await;
    assert!(stranger.is_ready().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_database_was_away_a_queue_there_is_used_again_and_sockets_stayed() {
    let mut server = postgres::Server::durable();
    let (here, there) = two(&server.url(), &[]).await;
    let satellite = here.api.create(&here.site).await;
    let beating = Beating::new(here.connect(&satellite).await);
    server.stop(postgres::Stop::Fast);
    for pod in [&here, &there] {
        pod.reaches_the_queue(false).await;
        pod.is_ready_again(false).await;
    }
    server.start();
    for pod in [&here, &there] {
        pod.is_ready_again(true).await;
        pod.reaches_the_queue(true).await;
    }
    is_told_of_a_takeover(&here, &there).await;
    beating.stop().await;
}

#[tokio::test]
async fn a_queue_that_cannot_be_is_refused_with_what_could_be() {
    let site = Site::new();
    for (queue, words) in [
        ("postgres", ["--queue postgres", "--database postgres://"]),
        ("rabbit", ["--queue rabbit", "nats://HOST"]),
        ("nats://", ["the queue's address is not understood", "nats://HOST"]),
        ("nats://me:hidden@host:port", ["the queue's address is not understood", "nats://HOST"]),
    ] {
        let exited = site.fail_to_serve(&["--listen", "127.0.0.1:0", "--queue", queue]).await;
        assert!(exited.code.is_some_and(|code| code != 0), "{exited:?}");
        assert!(words.iter().all(|word| exited.errors.contains(word)), "{}", exited.errors);
        assert!(!exited.errors.contains("hidden"), "{}", exited.errors);
        assert!(!site.data().exists(), "a start that is refused changes nothing");
    }
}
