//! The strategies by their names, and the course of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::RootCertStore;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::check::{Check, Entry};
use super::config::{self, Timeout};
use super::dns::Dns;
use super::error::{ProbeError, SettingsError, Unsupported};
use super::http::Http;
use super::mask::Masker;
use super::ping::Ping;
use super::report::{Draft, Report};
use super::script::{JavaScript, Script};
use super::strategy::{Connection, Finding, Strategy, Task};
use super::tcp::Tcp;
use super::tls::Tls;

/// How long a whole run may take where its settings do not say.
const TIMEOUT: Timeout = Timeout::millis(30_000);
/// What a collector may need beyond the end of a run to end what it started.
const GRACE: Duration = Duration::from_secs(2);

/// What probes need to know of the machine that they run on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose certificates `https` and TLS checks trust. By default nobody's: the machine's own
    /// are the caller's to load.
    pub roots: RootCertStore,
    /// The program that runs JavaScript. By default the first of `bun`, `deno` and `node` on the
    /// search path, if any.
    pub javascript: Option<PathBuf>,
    /// The folder whose `node_modules` scripts can import from.
    pub packages: Option<PathBuf>,
}

/// The strategies that this agent knows.
pub struct Probes {
    strategies: Vec<Arc<dyn Strategy>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { roots: RootCertStore::empty(), javascript: None, packages: None }
    }
}

#[derive(Deserialize)]
struct Limits {
    timeout: Option<Timeout>,
}

impl Probes {
    /// All strategies of this crate.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let Settings { roots, javascript, packages } = settings;
        let roots = Arc::new(roots);
        let script = Script::new(JavaScript::find(javascript), packages);
        Ok(Self::none()
            .with(Http::new(&roots)?)
            .with(Tcp)
            .with(Dns)
            .with(Tls::new(&roots)?)
            .with(Ping)
            .with(script))
    }

    /// No strategy at all.
    pub fn none() -> Self {
        Self { strategies: Vec::new() }
    }

    /// These and another strategy, which takes the place of one with the same name.
    #[must_use]
    pub fn with(mut self, strategy: impl Strategy + 'static) -> Self {
        self.strategies.retain(|known| known.id() != strategy.id());
        self.strategies.push(Arc::new(strategy));
        self
    }

    /// Whether this agent can run such a check: an error says what it lacks.
    pub fn supports<'a>(
        &self,
        strategy: &str,
        collectors: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Unsupported> {
        let unsupported = |message| Unsupported { strategy: strategy.to_owned(), message };
        let known = self.find(strategy).ok_or_else(|| unsupported(self.unknown(strategy)))?;
        let lacking = collectors.into_iter().find_map(|collector| known.lacks(collector));
        lacking.map_or(Ok(()), |message| Err(unsupported(message)))
    }

    /// Runs a check to its end, which comes at most a few seconds after its time-out.
    pub async fn run(&self, check: &Check) -> Report {
        let started = Instant::now();
        let masker = Masker::new(check.hidden());
        let draft = match self.find(&check.strategy) {
            Some(strategy) => draft(strategy.as_ref(), check, started, &masker).await,
            None => Draft { error: Some(self.unknown(&check.strategy)), ..Draft::default() },
        };
        draft.report(started.elapsed(), &masker)
    }

    fn find(&self, name: &str) -> Option<&Arc<dyn Strategy>> {
        self.strategies.iter().find(|strategy| is_named(strategy.id(), name))
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.strategies.iter().map(|strategy| strategy.id()).collect();
        format!("this agent has no strategy {name:?}; it has {}", known.join(", "))
    }
}

/// Whether `name` is `id` or its second part.
fn is_named(id: &str, name: &str) -> bool {
    id == name || id.split_once('.').is_some_and(|(_, short)| short == name)
}

async fn draft(
    strategy: &dyn Strategy,
    check: &Check,
    started: Instant,
    masker: &Masker<'_>,
) -> Draft {
    let config = check.config.get();
    let failed = |why: ProbeError| Draft { error: Some(why.to_string()), ..Draft::default() };
    let limit = match config::read::<Limits>(config) {
        Ok(limits) => limits.timeout.unwrap_or(TIMEOUT).0,
        Err(why) => return failed(why),
    };
    let no_env = BTreeMap::new();
    let task = Task { deadline: started + limit, secret_env: &no_env, masker };
    let connecting = strategy.connect(config, &task);
    let connected = timeout_at(task.deadline, connecting)
        .await
        .unwrap_or_else(|_| Err(ProbeError::TimedOut { what: "connecting".to_owned(), limit }));
    let connection = match connected {
        Ok(connection) => connection,
        Err(why) => return failed(why),
    };
    let connected = Some(started.elapsed());
    let findings = collect(strategy, connection.as_ref(), check, &task).await;
    Draft { connected, error: None, findings }
}

/// Runs all collectors at once.
async fn collect(
    strategy: &dyn Strategy,
    connection: &dyn Connection,
    check: &Check,
    task: &Task<'_>,
) -> Vec<(String, String, Finding)> {
    if check.collectors.is_empty() {
        let config = check.config.get();
        let Some(id) = strategy.implied(config) else { return Vec::new() };
        let found = finding(connection, id, config, task).await;
        let short = id.split_once('.').map_or(id, |(_, short)| short);
        return vec![(short.to_owned(), id.to_owned(), found)];
    }
    let runs = check.collectors.iter().map(|entry| async move {
        let Task { deadline, masker, .. } = *task;
        let task = Task { deadline, masker, secret_env: &entry.secret_env };
        let (id, found) = match known(strategy, entry) {
            Ok(id) => (id, finding(connection, id, entry.config.get(), &task).await),
            Err(why) => (entry.collector.as_str(), failure(&why)),
        };
        (entry.id.clone(), id.to_owned(), found)
    });
    join_all(runs).await
}

fn known(strategy: &dyn Strategy, entry: &Entry) -> Result<&'static str, ProbeError> {
    if let Some(why) = strategy.lacks(&entry.collector) {
        return Err(ProbeError::Failed(why));
    }
    let known = strategy.collectors();
    known.iter().find(|id| is_named(id, &entry.collector)).copied().ok_or_else(|| {
        let collector = entry.collector.clone();
        ProbeError::UnknownCollector { strategy: strategy.id(), collector, known }
    })
}

async fn finding(
    connection: &dyn Connection,
    id: &'static str,
    config: &Value,
    task: &Task<'_>,
) -> Finding {
    let began = Instant::now();
    let found = timeout_at(task.deadline + GRACE, connection.collect(id, config, task)).await;
    let found = found.unwrap_or_else(|_| {
        Err(ProbeError::TimedOut { what: id.to_owned(), limit: began.elapsed() })
    });
    found.unwrap_or_else(|why| failure(&why))
}

fn failure(why: &ProbeError) -> Finding {
    Finding::default().failed(Some(why.to_string()))
}
