//! Processes that a test starts, signals and waits for. Each dies with the test.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::wait::within;

/// What the server says on standard output once it can be reached.
const LISTENS: &str = "Ground Control listens on ";

/// A server that listens.
pub struct Server {
    child: Child,
    url: String,
    log: PathBuf,
    // Kept open: a server whose output nobody takes would notice.
    _output: Lines<BufReader<ChildStdout>>,
}

/// A process that ended by itself.
#[derive(Debug)]
pub struct Exited {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub output: String,
    /// What it said on standard error.
    pub errors: String,
}

/// A command of the binary with nothing in its environment that could configure it by accident.
pub(crate) fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GROUNDCONTROL_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The same command through a shell that makes it survive what [`Server::fill_disk`] does: the
/// system tells a process by a signal too, which would end it.
pub(super) fn surviving_limits(direct: &Command) -> Command {
    let direct = direct.as_std();
    let mut command = command(Path::new("sh"));
    command.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#]);
    command.arg(direct.get_program()).args(direct.get_args());
    for (name, value) in direct.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Starts a server and waits until it listens.
pub(super) async fn start(command: Command, log: PathBuf) -> Server {
    match try_start(command, log.clone()).await {
        Some(server) => server,
        None => {
            let logged = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the server ended before it listened; its log:\n{logged}")
        }
    }
}

/// As [`start`]; none where the server ended before it listened.
pub(crate) async fn try_start(mut command: Command, log: PathBuf) -> Option<Server> {
    let errors = OpenOptions::new().create(true).append(true).open(&log);
    command.stdout(Stdio::piped()).stderr(errors.expect("the log can be written"));
    let mut child = command.spawn().expect("the server can be started");
    let output = child.stdout.take().expect("its output is piped");
    let mut output = BufReader::new(output).lines();
    let listening = async {
        while let Some(line) = output.next_line().await.expect("its output can be read") {
            if let Some(url) = line.strip_prefix(LISTENS) {
                return Some(url.to_owned());
            }
        }
        None
    };
    let url = within("the server says that it listens", listening).await?;
    Some(Server { child, url, log, _output: output })
}

/// Runs a process to its end.
pub(super) async fn run(mut command: Command) -> Exited {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = within("the process ends by itself", command.output()).await;
    let ended = ended.expect("the process can be started");
    Exited {
        code: ended.status.code(),
        output: String::from_utf8_lossy(&ended.stdout).into_owned(),
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

/// Sends a signal to a child that has not been waited for.
pub(super) fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| Pid::from_raw(id as i32)).expect("the process is running");
    kill_process(pid, signal).expect("the process can be signalled");
}

impl Server {
    /// Its URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server is running")
    }

    /// Asks it to stop (SIGTERM), and returns at once.
    pub fn ask_to_stop(&self) {
        signal(&self.child, Signal::TERM);
    }

    /// Waits until it ended; answers its exit code, none where a signal ended it.
    pub async fn ended(mut self) -> Option<i32> {
        let status = within("the server ends", self.child.wait()).await;
        status.expect("the server can be waited for").code()
    }

    /// Stops it as an operator does, and answers its exit code.
    pub async fn stop(self) -> Option<i32> {
        self.ask_to_stop();
        self.ended().await
    }

    /// Kills it (SIGKILL): it does nothing any more.
    pub async fn kill(self) {
        signal(&self.child, Signal::KILL);
        self.ended().await;
    }

    /// Halts the process (SIGSTOP) until [`resume`](Self::resume).
    pub fn halt(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// Lets a halted process go on (SIGCONT).
    pub fn resume(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// Lets every write to a file fail, as a full disk does, until [`free_disk`](Self::free_disk).
    pub fn fill_disk(&self) {
        self.limit_files(Some(0));
    }

    /// Lets writes succeed again.
    pub fn free_disk(&self) {
        self.limit_files(None);
    }

    fn limit_files(&self, current: Option<u64>) {
        let pid = Pid::from_raw(self.pid() as i32);
        let limit = Rlimit { current, maximum: None };
        prlimit(pid, Resource::Fsize, limit).expect("the limit can be set");
    }

    /// Where its log is.
    pub fn log(&self) -> &Path {
        &self.log
    }
}
