//! `healthcheck-script.script`: a program of the operator's, and what it says.

mod group;
mod process;
mod inline;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::config::{self, Timeout};
use super::error::ProbeError;
use super::report::millis;
use super::strategy::{Connection, Finding, Strategy, Task};
pub(crate) use inline::JavaScript;
use process::{Ended, Program};

const EXECUTE: &str = "healthcheck-script.execute";
const INLINE: &str = "healthcheck-script.inline-script";
/// Where programs are looked for if this process has no PATH itself.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The strategy.
#[derive(Debug)]
pub(crate) struct Script {
    javascript: Option<JavaScript>,
    packages: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ExecuteConfig<'a> {
    command: &'a str,
    #[serde(borrow, default)]
    args: Vec<&'a str>,
    cwd: Option<PathBuf>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default = "script_timeout")]
    timeout: Timeout,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    exit_code: i32,
    stdout: String,
    stderr: String,
    execution_time_ms: f64,
    success: bool,
    timed_out: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    output_truncated: bool,
}

impl Script {
    /// Runs sources with `javascript`, if any; scripts find packages in `packages`.
    pub(crate) fn new(javascript: Option<JavaScript>, packages: Option<PathBuf>) -> Self {
        Self { javascript, packages }
    }

    /// What a program finds in its environment: nothing of this process but the search path.
    fn environment(
        &self,
        own: BTreeMap<String, String>,
        task: &Task<'_>,
    ) -> Result<BTreeMap<OsString, OsString>, ProbeError> {
        let mut found = BTreeMap::new();
        found.insert("PATH".into(), env::var_os("PATH").unwrap_or_else(|| PATH.into()));
        if let Some(packages) = &self.packages {
            found.insert("NODE_PATH".into(), packages.join("node_modules").into());
        }
        for (name, value) in own {
            found.insert(variable(&name, &value)?.into(), value.into());
        }
        for (name, value) in task.secret_env {
            let value = value.expose_secret();
            found.insert(variable(name, value)?.into(), value.into());
        }
        Ok(found)
    }
}

fn variable<'a>(name: &'a str, value: &str) -> Result<&'a str, ProbeError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(ProbeError::Config(format!("{name:?} cannot name an environment variable")));
    }
    if value.contains('\0') {
        return Err(ProbeError::Config(format!("the variable {name} holds a zero byte")));
    }
    Ok(name)
}

#[async_trait]
impl Strategy for Script {
    fn id(&self) -> &'static str {
        "healthcheck-script.script"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &[EXECUTE, INLINE]
    }

    fn lacks(&self, collector: &str) -> Option<String> {
        let inline = collector == INLINE || INLINE.ends_with(&format!(".{collector}"));
        (inline && self.javascript.is_none()).then(|| {
            format!("{INLINE} needs a JavaScript runtime: install bun, deno or node on this agent")
        })
    }

    /// There is nothing to connect to: it runs here.
    async fn connect<'a>(
        &'a self,
        _config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        Ok(Box::new(self))
    }
}

#[async_trait]
impl Connection for &Script {
    async fn collect(
        &self,
        collector: &'static str,
        config: &Value,
        task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        if collector == INLINE {
            return inline::run(self, config, task).await;
        }
        let ExecuteConfig { command, args, cwd, env, timeout } = config::read(config)?;
        if command.is_empty() {
            return Err(ProbeError::Config("command: it is empty".to_owned()));
        }
        let program = Program {
            command: command.into(),
            args: args.into_iter().map(OsString::from).collect(),
            cwd,
            env: self.environment(env, task)?,
        };
        let began = Instant::now();
        let end = task.end(began, timeout.0);
        let ended = process::run(program, end, task).await?;
        let error = ended.error(end - began);
        let Ended { exit_code, timed_out, stdout, stderr } = ended;
        let execution = Execution {
            exit_code,
            execution_time_ms: millis(began.elapsed()),
            success: error.is_none(),
            timed_out,
            output_truncated: stdout.cut || stderr.cut,
            stdout: stdout.text,
            stderr: stderr.text,
        };
        Ok(Finding::of(&execution).failed(error))
    }
}

impl Ended {
    /// Why a program that ended so was no success.
    fn error(&self, limit: Duration) -> Option<String> {
        match (self.timed_out, self.exit_code) {
            (true, _) => Some(format!("it took longer than {} ms", limit.as_millis())),
            (false, 0) => None,
            (false, code) => Some(format!("exit code {code}")),
        }
    }
}

fn script_timeout() -> Timeout {
    Timeout::millis(30_000)
}
