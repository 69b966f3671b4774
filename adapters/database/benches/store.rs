//! What the store does in a second, each beside its yardstick in the same run.
//!
//! `cargo bench -p groundcontrol-database`, for SQLite and PostgreSQL, or with either's name behind
//! `--` for one; `SATELLITES` (100000) sets the size of the fleet, `STORE_DIR` the folder of the
//! file, whose disk is what counts. PostgreSQL is a private server that flushes as one in earnest
//! does, in the system's temporary folder. Not a statistical benchmark: a flush to the disk
//! dominates, and the first line says how long one takes here.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use groundcontrol_core::assignment::{CheckId, Json, SystemId};
use groundcontrol_core::connection::{Command, Decision, Origin, decide};
use groundcontrol_core::ports::{
    ConnectionSnapshot, EdgeWrite, Guard, HeartbeatWrite, LatestQuery, QuietQuery, RunSink,
    RunStore, SatelliteStore, WriteOutcome,
};
use groundcontrol_core::run::{ReportedRun, Run, RunStatus};
use groundcontrol_core::satellite::{Epoch, Liveness, PodName, SatelliteId, SessionId};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_database::{DatabaseStore, Options, migrate};
use groundcontrol_testpostgres::Server;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};
use uuid::Uuid;

type Failed = Box<dyn std::error::Error>;

const FLUSH_PROBES: u32 = 200;
const BEATS: usize = 1000;
const STORM: usize = 2000;
const LOSSES: usize = 1000;
const RUNS: usize = 50_000;
const SETTLE: Millis = Millis::new(250);

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let satellites = std::env::var("SATELLITES").ok().and_then(|n| n.parse().ok());
    let satellites: usize = satellites.unwrap_or(100_000);
    let folder = match std::env::var_os("STORE_DIR") {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    flush_time(folder.path())?;
    let wanted = |name: &str| {
        let mut names = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
        let named: Vec<_> = names.by_ref().collect();
        named.is_empty() || named.iter().any(|named| named == name)
    };
    if wanted("sqlite") {
        println!("\nSQLite");
        let url = format!("sqlite://{}", folder.path().join("bench.db").display());
        engine(&url, satellites).await?;
    }
    if wanted("postgresql") {
        println!("\nPostgreSQL");
        let server = Server::durable();
        engine(&server.url(), satellites).await?;
    }
    Ok(())
}

/// All figures of one engine.
async fn engine(url: &str, satellites: usize) -> Result<(), Failed> {
    let store = filled(url, satellites).await?;
    let now = store.clock().now();
    let ids: Vec<SatelliteId> = (0..satellites).map(id).collect();
    heartbeats(&store, url, &ids, now).await?;
    looks(&store).await?;
    storm(&store, &ids).await?;
    edges(&store, &ids).await?;
    losses(&store, &ids).await?;
    lists(&store).await?;
    runs(&store, &ids).await?;
    store.close().await;
    Ok(())
}

/// How long the disk takes for a page that must stay: the noise in all that follows.
fn flush_time(folder: &Path) -> Result<(), Failed> {
    let mut file = File::create(folder.join("flush"))?;
    let mut times = Vec::new();
    for _ in 0..FLUSH_PROBES {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("flush of one page: p50 {:.2?}, p99 {:.2?}", at(50), at(99));
    Ok(())
}

/// Spread over the whole range of ids, as random ones are.
fn id(number: usize) -> SatelliteId {
    let spread = (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    SatelliteId(Uuid::from_u128(spread))
}

/// A store with `satellites` that are all connected and were heard just now; a tenth have a
/// threshold of their own. Filled behind the store's back, because that is faster.
async fn filled(url: &str, satellites: usize) -> Result<DatabaseStore, Failed> {
    migrate(url, &Options::default()).await?;
    let database = Database::connect(url).await?;
    let id_of = |id: String| match url.starts_with("sqlite") {
        true => format!("x'{id}'"),
        false => format!("'{id}'"),
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    for first in (0..satellites).step_by(BEATS) {
        let numbers = first..(first + BEATS).min(satellites);
        let (mut rows, mut connections, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        for number in numbers {
            let id = id_of(id(number).0.simple().to_string());
            let own = if number % 10 == 0 { "60000" } else { "NULL" };
            rows.push(format!("({id}, 'satellite {number:06}', 'eu', '{{}}', '[]', {now})"));
            connections.push(format!(
                "({id}, 1, 1, {now}, 'connected', {own}, {now}, 'authenticated', {id}, {id})"
            ));
            tokens.push(format!("({id}, {id}, 'sha256:{}')", "0".repeat(64)));
        }
        let sql = format!(
            "BEGIN; INSERT INTO satellites (id, name, region, tags, capabilities, created_at) \
             VALUES {}; INSERT INTO satellite_connections (satellite_id, epoch, seq, \
             last_heartbeat_at, last_event, offline_threshold_ms, last_event_at, last_cause, \
             session, token_id) VALUES {}; \
             INSERT INTO satellite_tokens (satellite_id, token_id, hash) VALUES {}; COMMIT;",
            rows.join(","),
            connections.join(","),
            tokens.join(",")
        );
        database.execute_unprepared(&sql).await?;
    }
    if !url.starts_with("sqlite") {
        database.execute_unprepared("VACUUM ANALYZE").await?;
    }
    database.close().await?;
    let store = DatabaseStore::open(url, Options::default()).await?;
    let threshold = Millis::from_secs(45);
    store.set_liveness(Liveness::new(Millis::from_secs(15), threshold)?).await?;
    Ok(store)
}

fn report(what: &str, count: usize, took: Duration) {
    let rate = count as f64 / took.as_secs_f64();
    println!("{what}: {count} in {took:.1?}, {rate:.0}/s");
}

async fn heartbeats(
    store: &DatabaseStore,
    url: &str,
    ids: &[SatelliteId],
    now: Timestamp,
) -> Result<(), Failed> {
    let beat = |id: &SatelliteId, at| HeartbeatWrite { satellite: *id, epoch: Epoch(1), at };
    for size in [BEATS, 12_500] {
        let at = now + Millis::new(size as u64);
        let began = Instant::now();
        for batch in ids.chunks(size) {
            let batch: Vec<_> = batch.iter().map(|id| beat(id, at)).collect();
            let refused = store.record_heartbeats(&batch, at).await?;
            assert!(refused.is_empty(), "{} heartbeats refused", refused.len());
        }
        report(&format!("heartbeats, {size} a batch"), ids.len(), began.elapsed());
    }
    let at = now + Millis::from_secs(20);
    let began = Instant::now();
    for id in &ids[..BEATS] {
        store.record_heartbeats(&[beat(id, at)], at).await?;
    }
    report("heartbeats, one a batch (yardstick)", BEATS, began.elapsed());
    row_by_row(url, &ids[BEATS..2 * BEATS], at).await
}

/// What a store without batches would do: an update for each, all in one transaction.
async fn row_by_row(url: &str, ids: &[SatelliteId], at: Timestamp) -> Result<(), Failed> {
    if url.starts_with("sqlite") {
        return Ok(());
    }
    let database = Database::connect(url).await?;
    let transaction = database.begin().await?;
    let update = "UPDATE satellite_connections SET last_heartbeat_at = GREATEST(last_heartbeat_at, $2) \
        WHERE satellite_id = $1 AND epoch = 1 AND last_event = 'connected'";
    let began = Instant::now();
    for id in ids {
        let values = [id.0.into(), at.as_millis().into()];
        let update = Statement::from_sql_and_values(DbBackend::Postgres, update, values);
        transaction.execute_raw(update).await?;
    }
    transaction.commit().await?;
    report("heartbeats, an update each in one transaction (yardstick)", ids.len(), began.elapsed());
    database.close().await?;
    Ok(())
}

/// The best of several runs, and the middle one.
async fn timed<F: Future<Output = Result<(), Failed>>>(
    what: &str,
    run: impl Fn() -> F,
) -> Result<(), Failed> {
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        run().await?;
        times.push(began.elapsed());
    }
    times.sort();
    println!("{what}: best {:.2?}, middle {:.2?}", times[0], times[times.len() / 2]);
    Ok(())
}

async fn looks(store: &DatabaseStore) -> Result<(), Failed> {
    let since = Timestamp::from_millis(0);
    let now = store.clock().now();
    timed("a look that finds nobody lost", || async {
        let overdue = store.overdue(now, SETTLE, since, LOSSES).await?;
        assert!(overdue.is_empty(), "{} overdue", overdue.len());
        Ok(())
    })
    .await?;
    timed("the next threshold", || async {
        store.next_threshold().await?;
        Ok(())
    })
    .await
}

async fn storm(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<(), Failed> {
    let began = Instant::now();
    for found in join_all(ids[..STORM].iter().map(|id| store.credentials(*id))).await {
        assert!(found?.is_some());
    }
    report("credentials, asked at once", STORM, began.elapsed());
    let began = Instant::now();
    for id in &ids[..STORM] {
        store.credentials(*id).await?;
    }
    report("credentials, one after the other (yardstick)", STORM, began.elapsed());
    Ok(())
}

async fn edges(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<(), Failed> {
    let together = connects(store, &ids[..STORM]).await?;
    let before = store.stats();
    let began = Instant::now();
    for outcome in join_all(together.into_iter().map(|w| store.record_edges(vec![w]))).await {
        assert_eq!(outcome?, [WriteOutcome::Applied]);
    }
    report("edges, waiting at once", STORM, began.elapsed());
    println!("  in {} commits", store.stats().commits - before.commits);
    let alone = connects(store, &ids[STORM..STORM + 500]).await?;
    let count = alone.len();
    let began = Instant::now();
    for write in alone {
        assert_eq!(store.record_edges(vec![write]).await?, [WriteOutcome::Applied]);
    }
    report("edges, one after the other (yardstick)", count, began.elapsed());
    Ok(())
}

async fn connects(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<Vec<EdgeWrite>, Failed> {
    let mut writes = Vec::new();
    let now = store.clock().now();
    for read in join_all(ids.iter().map(|id| store.snapshot(*id))).await {
        let read = read?.ok_or("no such satellite")?;
        let command = Command::Connect {
            session: SessionId(Uuid::from_u128(read.satellite.0.as_u128() ^ 1)),
            token: read.record.token.ok_or("no token")?,
            seen_epoch: read.record.epoch,
            credential_version: read.credential_version,
        };
        writes.push(edge(read, &command, Guard::Credential, now)?);
    }
    Ok(writes)
}

fn edge(
    read: ConnectionSnapshot,
    command: &Command,
    guard: Guard,
    now: Timestamp,
) -> Result<EdgeWrite, Failed> {
    let decision = decide(&read.record, command, &read.context(now, SETTLE));
    let Decision::Record(change) = decision else { return Err(format!("{decision:?}").into()) };
    let origin = Origin { pod: PodName::new("bench"), actor: None, remote_address: None };
    Ok(EdgeWrite { read, change, guard, origin, now })
}

/// A thousand satellites whose time has come, from the look to the recorded loss; then twenty
/// thousand.
async fn losses(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<(), Failed> {
    // The fleet was heard at different times by now; what counts is the time after all of them.
    let (pod, since) = (PodName::new("bench"), store.clock().now());
    let later = since + Millis::from_secs(120);
    let span = store.renew_watch(&pod, since, Millis::from_secs(600)).await?;
    store.renew_watch(&pod, later, Millis::from_secs(600)).await?;
    for count in [LOSSES, 20 * LOSSES] {
        let count = count.min(ids.len());
        let began = Instant::now();
        for _ in 0..count.div_ceil(LOSSES) {
            let overdue = store.overdue(later, SETTLE, span.since, LOSSES).await?;
            let writes =
                overdue.into_iter().map(|r| edge(r, &Command::Sweep, Guard::Silence, later));
            let writes = writes.collect::<Result<Vec<_>, _>>()?;
            let outcomes = store.record_edges(writes).await?;
            assert!(outcomes.iter().all(|outcome| *outcome == WriteOutcome::Applied));
        }
        report("losses, from look to record", count, began.elapsed());
    }
    Ok(())
}

async fn lists(store: &DatabaseStore) -> Result<(), Failed> {
    let began = Instant::now();
    let online = store.online_ids(store.clock().now()).await?;
    report("online ids", online.len(), began.elapsed());
    Ok(())
}

/// What a satellite of the fleet reports of one of ten checks, with details of a usual size.
fn run(ids: &[SatelliteId], number: usize, now: Timestamp) -> Run {
    let details = format!("{{\"status\":\"healthy\",\"body\":\"{}\"}}", "x".repeat(400));
    let at = now + Millis::new(number as u64);
    Run {
        satellite: Some(ids[number % STORM]),
        source: "satellite (eu)".to_owned(),
        run: ReportedRun {
            check: CheckId(Uuid::from_u128(number as u128 % 10)),
            system: SystemId(Uuid::from_u128(1)),
            environment: None,
            status: RunStatus::Healthy,
            latency_ms: Some(1.5),
            result: Some(Json::trusted(details)),
            executed_at: at,
            result_id: Some(format!("result {number}")),
        },
        failed: None,
        received_at: at,
    }
}

/// Runs as a pod keeps them, a thousand a call; as many callers would, and as one would.
async fn runs(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<(), Failed> {
    let now = store.clock().now();
    let all: Vec<_> = (0..RUNS).map(|number| run(ids, number, now)).collect();
    let began = Instant::now();
    for batch in all.chunks(1_000) {
        store.record_runs(batch).await?;
    }
    report("runs, 1000 a call", RUNS, began.elapsed());
    let began = Instant::now();
    store.record_runs(&all[..1_000]).await?;
    report("runs that are kept already, 1000 a call", 1_000, began.elapsed());
    let more: Vec<_> = (RUNS..RUNS + STORM).map(|number| [run(ids, number, now)]).collect();
    let began = Instant::now();
    for kept in join_all(more.iter().map(|one| store.record_runs(one))).await {
        kept?;
    }
    report("runs, a call each, waiting at once", STORM, began.elapsed());
    let began = Instant::now();
    for number in 0..500 {
        store.record_runs(&[run(ids, RUNS + STORM + number, now)]).await?;
    }
    report("runs, one after the other (yardstick)", 500, began.elapsed());
    timed("a page of the latest runs", || async {
        let query = LatestQuery { limit: 100, ..LatestQuery::default() };
        assert_eq!(store.latest_runs(&query).await?.len(), 100);
        Ok(())
    })
    .await?;
    timed("a look that finds no quiet check", || async {
        let query = QuietQuery { now, after: None, limit: 1_000 };
        assert!(store.quiet_pairs(&query).await?.is_empty());
        Ok(())
    })
    .await
}
