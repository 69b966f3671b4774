//! The demo's processes: none outlives it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

/// Lines of a process's log that an error shows.
const TAIL: usize = 10;

/// A process of our own executable, with its log in a file. Killed when dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    name: &'static str,
    log: PathBuf,
}

/// Starts processes of one executable in one folder.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    executable: PathBuf,
    folder: PathBuf,
}

impl Launcher {
    /// For `executable`, with logs in `folder`.
    pub(super) fn new(executable: PathBuf, folder: &Path) -> Self {
        Self { executable, folder: folder.to_owned() }
    }

    /// Starts the executable with `arguments`. It sees none of our own `GROUNDCONTROL_…`
    /// variables but `variable`, and no Ctrl-C of our terminal: we end it.
    pub(super) fn start<S: AsRef<OsStr>>(
        &self,
        name: &'static str,
        arguments: impl IntoIterator<Item = S>,
        variable: Option<(&str, &str)>,
    ) -> anyhow::Result<Child> {
        let log = self.folder.join(format!("{}.log", name.to_lowercase()));
        let file =
            File::create(&log).with_context(|| format!("could not write {}", log.display()))?;
        let mut command = Command::new(&self.executable);
        command.args(arguments).kill_on_drop(true).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("GROUNDCONTROL_") {
                command.env_remove(variable);
            }
        }
        command.envs(variable);
        let process = command
            .spawn()
            .with_context(|| format!("could not start {}", self.executable.display()))?;
        Ok(Child { process, name, log })
    }
}

impl Child {
    /// Its process id; none once it ended.
    pub(super) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// What follows `prefix` in the first line of its output that begins so. The output must be
    /// kept, or the process could not write on.
    pub(super) async fn announced(
        &mut self,
        prefix: &str,
        within: Duration,
    ) -> anyhow::Result<(String, Lines<BufReader<ChildStdout>>)> {
        let output = self.process.stdout.take().context("the output was taken already")?;
        let mut lines = BufReader::new(output).lines();
        let found = timeout(within, async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(prefix) {
                    return Ok(Some(rest.trim().to_owned()));
                }
            }
            anyhow::Ok(None)
        });
        match found.await {
            Ok(found) => match found? {
                Some(found) => Ok((found, lines)),
                None => bail!("the {} ended before it was ready:\n{}", self.name, self.log_tail()),
            },
            Err(_) => bail!(
                "the {} was not ready within {} s:\n{}",
                self.name,
                within.as_secs(),
                self.log_tail()
            ),
        }
    }

    /// `kill -9`: no chance to say goodbye.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.start_kill().with_context(|| format!("could not kill {}", self.name))?;
        self.process.wait().await?;
        Ok(())
    }

    /// SIGTERM, and its exit status.
    pub(super) async fn stop(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        let id = self.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id =
            id.with_context(|| format!("{} ended by itself:\n{}", self.name, self.log_tail()))?;
        kill_process(id, Signal::TERM).with_context(|| format!("could not stop {}", self.name))?;
        match timeout(within, self.process.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("{} did not stop within {} s", self.name, within.as_secs()),
        }
    }

    /// The end of its log.
    pub(super) fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(TAIL)..];
        tail.iter().map(|line| format!("    {line}\n")).collect()
    }
}
