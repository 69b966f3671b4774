//! `healthcheck-script.inline-script`: a module of JavaScript or TypeScript, run by a runtime that
//! is installed on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use super::Script;
use super::process::{self, Ended, Program};
use crate::config::{self, Timeout};
use crate::error::ProbeError;
use crate::report::millis;
use crate::strategy::{Finding, Task};

/// Imports the module and writes down what it says.
const RUNNER: &str = include_str!("runner.mjs");
/// What `@checkstack/healthcheck` gives a module.
const HELPER: &str = "export const defineHealthCheck = (check) => check;\n";
const HELPER_PACKAGE: &str =
    r#"{"name":"@checkstack/healthcheck","type":"module","exports":"./index.js"}"#;
/// The runtimes that are looked for, in this order.
const RUNTIMES: [&str; 3] = ["bun", "deno", "node"];
/// Bytes of what a module may say.
const MAX_OUTCOME: u64 = 1024 * 1024;
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A JavaScript runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JavaScript {
    program: PathBuf,
}

#[derive(Deserialize)]
struct InlineConfig<'a> {
    script: &'a str,
    #[serde(default = "inline_timeout")]
    timeout: Timeout,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    execution_time_ms: f64,
    timed_out: bool,
}

/// What the runner wrote down.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    value: Value,
    error: Option<String>,
}

impl JavaScript {
    /// The runtime at `named`, or the first that is on the search path.
    pub(crate) fn find(named: Option<PathBuf>) -> Option<Self> {
        if let Some(program) = named {
            return Some(Self { program });
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        let on_path = |name: &str| {
            folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
        };
        RUNTIMES.into_iter().find_map(on_path).map(|program| Self { program })
    }

    fn arguments(&self, runner: &Path) -> Vec<OsString> {
        let deno = self.program.file_stem().is_some_and(|name| name == "deno");
        let before: &[&str] = if deno { &["run", "--quiet", "--allow-all"] } else { &[] };
        before.iter().map(OsString::from).chain([runner.into()]).collect()
    }
}

/// Runs the module in `config`.
pub(super) async fn run(
    script: &Script,
    config: &Value,
    task: &Task<'_>,
) -> Result<Finding, ProbeError> {
    let InlineConfig { script: source, timeout: Timeout(limit) } = config::read(config)?;
    if limit < TIMEOUTS.0 || limit > TIMEOUTS.1 {
        let why = "timeout: it must be 1,000 to 60,000 milliseconds";
        return Err(ProbeError::Config(why.to_owned()));
    }
    let Some(javascript) = &script.javascript else {
        return Err(ProbeError::Failed("there is no JavaScript runtime".to_owned()));
    };
    let folder = prepare(script.packages.as_deref(), source, config).map_err(|why| {
        ProbeError::Io { doing: "prepare a folder for the script".to_owned(), why }
    })?;
    let program = Program {
        command: javascript.program.clone().into(),
        args: javascript.arguments(&folder.path().join("runner.mjs")),
        cwd: Some(folder.path().to_owned()),
        env: script.environment(Default::default(), task)?,
    };
    let began = Instant::now();
    let end = task.end(began, limit);
    let ended = process::run(program, end, task).await?;
    let (said, error) = match ended.error(end - began) {
        None => (read(&folder.path().join("outcome.json")), None),
        Some(error) => (Said::default(), Some(with_output(error, &ended))),
    };
    Ok(said.finding(error, &ended, millis(began.elapsed())))
}

/// A folder of its own, below the packages where there are some: that is where runtimes look.
fn prepare(packages: Option<&Path>, source: &str, config: &Value) -> io::Result<TempDir> {
    let folder = match packages {
        Some(packages) if packages.is_dir() => tempfile::tempdir_in(packages)?,
        _ => tempfile::tempdir()?,
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    let helper = "node_modules/@checkstack/healthcheck";
    fs::create_dir_all(folder.path().join(helper))?;
    write(&format!("{helper}/package.json"), HELPER_PACKAGE)?;
    write(&format!("{helper}/index.js"), HELPER)?;
    write("config.json", &config.to_string())?;
    write("runner.mjs", RUNNER)?;
    // The same module under two names: which one a runtime reads says whether it may hold types.
    for name in ["check.mjs", "check.mts"] {
        write(name, &module(source))?;
    }
    Ok(folder)
}

/// A module says `export default`; anything else is the body of a function.
fn module(source: &str) -> String {
    if source.contains("export default") || source.contains("as default") {
        return source.to_owned();
    }
    format!("export default await (async () => {{\n{source}\n}})();\n")
}

fn read(path: &Path) -> Said {
    let silent = |why: &str| Said { error: Some(why.to_owned()), ..Said::default() };
    match fs::metadata(path) {
        Err(_) => silent("the script ended before it said anything"),
        Ok(file) if file.len() > MAX_OUTCOME => silent("the script said more than 1 MiB"),
        Ok(_) => fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_else(|| silent("what the script said is no JSON")),
    }
}

fn with_output(error: String, ended: &Ended) -> String {
    let last = ended.stderr.text.trim().lines().next_back().unwrap_or_default();
    if last.is_empty() { error } else { format!("{error}: {last}") }
}

impl Said {
    /// Nothing said is success; so is anything that does not say `success: false`.
    fn finding(self, error: Option<String>, ended: &Ended, took: f64) -> Finding {
        let error = error.or(self.error);
        let field = |name: &str| self.value.get(name);
        let success = error.is_none()
            && self.value.as_bool().or_else(|| field("success")?.as_bool()).unwrap_or(true);
        let said = self.value.as_str().or_else(|| field("message")?.as_str());
        let printed = Some(ended.stdout.text.as_str()).filter(|text| !text.is_empty());
        let message = error.clone().or_else(|| said.or(printed).map(str::to_owned));
        let error = error.or_else(|| {
            (!success).then(|| message.clone().unwrap_or_else(|| "the check failed".to_owned()))
        });
        let outcome = Outcome {
            success,
            message,
            value: self.value.as_f64().or_else(|| field("value")?.as_f64()),
            execution_time_ms: took,
            timed_out: ended.timed_out,
        };
        Finding::of(&outcome).failed(error)
    }
}

fn inline_timeout() -> Timeout {
    Timeout::millis(30_000)
}
