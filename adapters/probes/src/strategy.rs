//! What a strategy is: a way to connect, and what can be looked at then.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::error::ProbeError;
use super::mask::Masker;

/// One way to connect to something.
///
/// Names have two parts, `healthcheck-http.http`; the second alone, `http`, is accepted too.
#[async_trait]
pub trait Strategy: Send + Sync {
    /// Its name.
    fn id(&self) -> &'static str;

    /// The names of its collectors.
    fn collectors(&self) -> &'static [&'static str];

    /// The collector that a check without any means, which is then given the strategy's own
    /// settings. None: the connection is the check.
    fn implied(&self, _config: &Value) -> Option<&'static str> {
        None
    }

    /// Why one of its collectors cannot run on this machine, if so.
    fn lacks(&self, _collector: &str) -> Option<String> {
        None
    }

    /// Connects. `task` says how long that may take.
    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError>;
}

/// Something that was connected to. It is closed by dropping it.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Runs one of the strategy's [`collectors`](Strategy::collectors), by its full name.
    async fn collect(
        &self,
        collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError>;
}

/// What surrounds one connection or one collector's run.
pub struct Task<'a> {
    /// When the whole run must be over.
    pub deadline: Instant,
    /// The environment that only this collector's script is given.
    pub secret_env: &'a BTreeMap<String, SecretString>,
    pub(crate) masker: &'a Masker<'a>,
}

/// What a collector found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Its fields.
    pub fields: Map<String, Value>,
    /// What failed, although there are fields: a script's exit code, say.
    pub error: Option<String>,
}

impl Task<'_> {
    /// Waits for `future` until `limit` is over or the whole run is, whichever comes first.
    pub async fn within<T>(
        &self,
        limit: Duration,
        what: impl FnOnce() -> String,
        future: impl Future<Output = T>,
    ) -> Result<T, ProbeError> {
        let now = Instant::now();
        let end = self.end(now, limit);
        let result = timeout_at(end, future).await;
        result.map_err(|_| ProbeError::TimedOut { what: what(), limit: end - now })
    }

    /// When something that begins at `now` and may take `limit` must be over.
    pub fn end(&self, now: Instant, limit: Duration) -> Instant {
        now.checked_add(limit).map_or(self.deadline, |end| end.min(self.deadline)).max(now)
    }

    /// What is left of the whole run.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Finding {
    /// A finding with the fields of `found`.
    pub fn of(found: &impl Serialize) -> Self {
        match serde_json::to_value(found) {
            Ok(Value::Object(fields)) => Self { fields, error: None },
            Ok(other) => Self { fields: Map::from_iter([("value".into(), other)]), error: None },
            Err(why) => Self { fields: Map::new(), error: Some(why.to_string()) },
        }
    }

    /// The same, failed where `error` is some.
    #[must_use]
    pub fn failed(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }
}
