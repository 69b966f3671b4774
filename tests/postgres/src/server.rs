//! One server: its folder, its processes, its life.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::installation::Installation;

/// The database that every server has.
pub(crate) const DATABASE: &str = "postgres";
/// The user who may do everything and needs no password.
const SUPERUSER: &str = "postgres";
/// How long anything may take here before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is waited for is looked at this often.
const LOOK: Duration = Duration::from_millis(10);
/// Ports that are tried: another process may take one between the look and the start.
const PORTS: usize = 5;

/// Everybody but the superuser gives a password, and may use TLS where the server has it.
const ACCESS: &str =
    "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// Runs a server and waits for the end of its own standard input, which comes with the end of the
/// test's process at the latest, however that ends; then ends the server. Unless told to keep it,
/// removes the folder.
const KEEPER: &str = r#"
log=$1; folder=$2; shift 2
"$@" >>"$log" 2>&1 </dev/null &
server=$!
echo "$server"
word=$(cat)
kill -QUIT "$server" 2>/dev/null
kill -CONT "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A private server. Dropping it ends it and removes its folder.
pub struct Server {
    installation: Installation,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
}

struct Running {
    keeper: Child,
    /// Its end is what the keeper waits for.
    input: Option<ChildStdin>,
    server: Pid,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As an operator does: clients are told, everything is written.
    Fast,
    /// As a crash of the machine does: processes end at once, and what was not flushed is gone.
    Crash,
}

impl Server {
    /// A server that keeps its promises about the disk, for tests about crashes of the server.
    pub fn durable() -> Self {
        Self::started(&[])
    }

    /// A server that flushes nothing: faster, and as good for anything else.
    pub fn fast() -> Self {
        Self::started(&["fsync=off", "full_page_writes=off"])
    }

    fn started(settings: &[&str]) -> Self {
        let installation = Installation::find();
        let folder = folder(&installation);
        make_cluster(&installation, &folder);
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { installation, folder, port: 0, settings, running: None };
        for _ in 0..PORTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("PostgreSQL did not start; its log:\n{}", server.log());
    }

    /// The URL of its database, for the superuser.
    pub fn url(&self) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, readable by its own user and by root.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Stops it; its files stay for [`start`](Self::start).
    pub fn stop(&mut self, stop: Stop) {
        let Some(mut running) = self.running.take() else { return };
        let signal = match stop {
            Stop::Fast => Signal::INT,
            Stop::Crash => Signal::QUIT,
        };
        // One that is gone already is stopped.
        kill_process(running.server, signal).ok();
        wait_for("the server ends", || !exists(running.server));
        running.end(b"keep");
    }

    /// Starts it again on the same port, and waits until it can be used.
    pub fn start(&mut self) {
        if self.running.is_none() && !self.try_start() {
            panic!("PostgreSQL did not start again; its log:\n{}", self.log());
        }
    }

    /// Halts all its processes (SIGSTOP): connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets halted processes go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&self, signal: Signal) {
        let server = self.running.as_ref().expect("the server is running").server;
        // The server first: it starts none besides those that are seen then.
        kill_process(server, signal).ok();
        for process in children(server) {
            // A client's process may have ended meanwhile.
            kill_process(process, signal).ok();
        }
    }

    fn try_start(&mut self) -> bool {
        let log = self.folder.join("log");
        let mut command = self.installation.command("/bin/sh");
        command.args(["-c", KEEPER, "sh"]).arg(&log).arg(&self.folder);
        command.arg(self.installation.program("postgres"));
        command.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string()]);
        for setting in SETTINGS.iter().copied().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::of(command.spawn().expect("a shell can be started"));
        let ready = wait_until(|| !exists(running.server) || self.says_ready(running.server));
        if ready && exists(running.server) {
            self.running = Some(running);
            return true;
        }
        running.end(b"keep");
        false
    }

    /// Whether the server wrote that it takes connections.
    fn says_ready(&self, server: Pid) -> bool {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines();
        let own = lines.next() == Some(&server.as_raw_nonzero().to_string());
        own && lines.any(|line| line.trim() == "ready")
    }
}

/// As small as a server of a few hundred clients can be; deadlocks are noticed soon.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=400",
    "shared_buffers=64MB",
    "dynamic_shared_memory_type=mmap",
    "deadlock_timeout=100ms",
];

impl Running {
    fn of(mut keeper: Child) -> Self {
        let input = keeper.stdin.take();
        let mut output = keeper.stdout.take().expect("its output is piped");
        let mut line = Vec::new();
        let mut byte = [0];
        while output.read_exact(&mut byte).is_ok() && byte != *b"\n" {
            line.push(byte[0]);
        }
        let line = String::from_utf8_lossy(&line);
        let server = line.parse().ok().and_then(Pid::from_raw);
        let server = server.expect("the keeper says which process is the server");
        Self { keeper, input, server }
    }

    /// Ends the keeper, with or without a last word to it.
    fn end(&mut self, word: &[u8]) {
        if let Some(mut input) = self.input.take() {
            // A keeper that is gone needs no word.
            input.write_all(word).ok();
        }
        self.keeper.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.running {
            Some(running) => running.end(b""),
            // It may be gone already.
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

/// A folder that the keeper removes.
fn folder(installation: &Installation) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("groundcontrol-postgres-").tempdir();
    let folder = folder.map(TempDir::keep).expect("a temporary folder can be made");
    installation.hand_over(&folder);
    folder
}

fn make_cluster(installation: &Installation, folder: &Path) {
    let data = folder.join("data");
    let mut command = installation.command(installation.program("initdb"));
    command.arg("-D").arg(&data).args(["-U", SUPERUSER, "-A", "trust"]);
    command.args(["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
    let made = command.output().expect("initdb can be started");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "initdb failed: {said}");
    fs::write(data.join("pg_hba.conf"), ACCESS).expect("a file of the cluster can be written");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

fn exists(process: Pid) -> bool {
    rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH)
        && stat(process).is_none_or(|(state, _)| state != 'Z')
}

/// The processes that `parent` started.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let processes = numbers.filter_map(Pid::from_raw);
    processes.filter(|process| stat(*process).is_some_and(|(_, of)| of == parent)).collect()
}

/// The state of a process, and its parent.
fn stat(process: Pid) -> Option<(char, Pid)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let state = rest.next()?.chars().next()?;
    Some((state, rest.next()?.parse().ok().and_then(Pid::from_raw)?))
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    assert!(wait_until(condition), "{what} within {PATIENCE:?}");
}

fn wait_until(condition: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}
