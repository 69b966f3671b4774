//! The whole: a database, a queue, and pods that share them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use groundcontrol_testnats::Server as Nats;
use groundcontrol_testpostgres::Server as Postgres;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::pod::{ADMIN_TOKEN, Pod};
use super::troubles::Troubles;
use crate::server::{Api, Satellite};

/// How pods tell each other to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Not at all: each pod hears itself alone, as where every nudge is lost.
    Deaf,
    /// Through PostgreSQL.
    Postgres,
    /// Through NATS.
    Nats,
}

/// What is to be set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many pods.
    pub pods: usize,
    /// How they tell each other.
    pub queue: Queue,
    /// How often agents send heartbeats.
    pub heartbeat: Duration,
    /// How long silence may last.
    pub threshold: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            pods: 3,
            queue: Queue::Postgres,
            heartbeat: Duration::from_secs(1),
            threshold: Duration::from_secs(3),
        }
    }
}

/// Pods that run, with all that they need.
pub struct Stage {
    /// How it was set up.
    pub setup: Setup,
    /// The pods.
    pub pods: Vec<Pod>,
    /// What went wrong so far.
    pub troubles: Troubles,
    database: Arc<Mutex<Postgres>>,
    nats: Option<Arc<Mutex<Nats>>>,
    _folder: TempDir,
}

/// Satellites that are made at once.
const MADE_AT_ONCE: usize = 8;

impl Stage {
    /// Sets everything up, and starts all pods at once.
    ///
    /// # Panics
    /// Where that is not possible.
    pub async fn set_up(setup: Setup) -> Self {
        let servers = spawn_blocking(move || {
            let nats = (setup.queue == Queue::Nats).then(Nats::start_new);
            (Postgres::fast(), nats)
        });
        let (database, nats) = servers.await.expect("the servers start");
        let folder = tempfile::Builder::new().prefix("groundcontrol-fleet-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        let settings = settings(setup, nats.as_ref());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, database.port()));
        let mut pods = Vec::new();
        for number in 0..setup.pods {
            pods.push(Pod::make(number, folder.path(), address, &settings).await);
        }
        futures_util::future::join_all(pods.iter().map(Pod::start)).await;
        Self {
            setup,
            pods,
            troubles: Troubles::default(),
            database: Arc::new(Mutex::new(database)),
            nats: nats.map(|nats| Arc::new(Mutex::new(nats))),
            _folder: folder,
        }
    }

    /// A client of one pod that may do everything.
    pub fn api(&self, pod: usize) -> Api {
        Api::new(&self.pods[pod].url(), ADMIN_TOKEN)
    }

    /// Makes satellites, through all pods.
    pub async fn create(&self, count: usize) -> Vec<Satellite> {
        let made = (0..count).map(|number| {
            let api = self.api(number % self.pods.len());
            async move { api.create_anywhere().await }
        });
        stream::iter(made).buffer_unordered(MADE_AT_ONCE).collect().await
    }

    /// Does something to the database server.
    pub async fn database(&self, act: impl FnOnce(&mut Postgres) + Send + 'static) {
        let database = self.database.clone();
        spawn_blocking(move || act(&mut database.lock())).await.expect("it can be done");
    }

    /// Does something to the NATS server; nothing where there is none.
    pub async fn nats(&self, act: impl FnOnce(&mut Nats) + Send + 'static) {
        let Some(nats) = self.nats.clone() else { return };
        spawn_blocking(move || act(&mut nats.lock())).await.expect("it can be done");
    }
}

impl Drop for Stage {
    /// Shows the pods' logs where a test failed.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for pod in &self.pods {
            let log = pod.logged();
            let from = log.len().saturating_sub(LOG_SHOWN);
            let from = (from..log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            eprintln!("--- the log of pod {}, its end ---\n{}", pod.number, &log[from..]);
        }
    }
}

/// Bytes of a log that a failed test shows.
const LOG_SHOWN: usize = 6_000;

fn settings(setup: Setup, nats: Option<&Nats>) -> Vec<String> {
    let span = |span: Duration| format!("{}ms", span.as_millis());
    let queue = match (setup.queue, nats) {
        (Queue::Postgres, _) => "postgres".to_owned(),
        (Queue::Nats, Some(nats)) => nats.url(),
        (Queue::Deaf, _) | (Queue::Nats, None) => "memory".to_owned(),
    };
    [
        "--heartbeat-interval",
        &span(setup.heartbeat),
        "--offline-threshold",
        &span(setup.threshold),
        "--queue",
        &queue,
    ]
    .map(str::to_owned)
    .to_vec()
}
