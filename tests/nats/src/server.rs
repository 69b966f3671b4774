//! One server: its folder, its process, its life.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take here before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is waited for is looked at this often.
const LOOK: Duration = Duration::from_millis(10);
/// Ports that are tried: another process may take one between the look and the start.
const PORTS: usize = 5;
/// Where the program is that is not on the path of everybody.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Runs a server and waits for the end of its own standard input, which comes with the end of the
/// test's process at the latest, however that ends; then ends the server. Unless told to keep it,
/// removes the folder.
const KEEPER: &str = r#"
folder=$1; shift
"$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
echo "$server"
word=$(cat)
kill -KILL "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A private server with JetStream. Dropping it ends it and removes its folder.
pub struct Server {
    folder: PathBuf,
    port: u16,
    /// More lines of its configuration.
    settings: String,
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
    /// As an operator does: everything is written.
    Fast,
    /// As a crash of the process does.
    Crash,
}

impl Server {
    /// A server to which everybody may do everything.
    pub fn start_new() -> Self {
        Self::with("")
    }

    /// A server with these lines in its configuration besides.
    pub fn with(settings: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("groundcontrol-nats-").tempdir();
        let folder = folder.map(TempDir::keep).expect("a temporary folder can be made");
        let settings = settings.to_owned();
        let mut server = Self { folder, port: 0, settings, running: None };
        for _ in 0..PORTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("nats-server did not start; its log:\n{}", server.log());
    }

    /// Its URL, without a user.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Stops it; its files stay for [`start`](Self::start).
    pub fn stop(&mut self, stop: Stop) {
        let Some(mut running) = self.running.take() else { return };
        let signal = match stop {
            Stop::Fast => Signal::TERM,
            Stop::Crash => Signal::KILL,
        };
        // One that is gone already is stopped.
        kill_process(running.server, signal).ok();
        assert!(wait_until(|| !exists(running.server)), "the server ends within {PATIENCE:?}");
        running.end(b"keep");
    }

    /// Starts it again on the same port, and waits until it can be used.
    pub fn start(&mut self) {
        if self.running.is_none() && !self.try_start() {
            panic!("nats-server did not start again; its log:\n{}", self.log());
        }
    }

    /// Halts the process (SIGSTOP): connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a halted process go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("the server is running");
        kill_process(running.server, signal).expect("the server can be signalled");
    }

    fn try_start(&mut self) -> bool {
        let config = self.folder.join("nats.conf");
        let store = self.folder.join("data");
        let text = format!(
            "server_name: {:?}\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: {store:?} }}\n{}\n",
            self.name(),
            self.port,
            self.settings
        );
        fs::write(&config, text).expect("the configuration can be written");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "sh"]).arg(&self.folder).arg(program()).arg("-c").arg(&config);
        // A process group of its own: an interrupt from the terminal is not for the server.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut running = Running::of(command.spawn().expect("a shell can be started"));
        let ready = wait_until(|| !exists(running.server) || self.greets());
        if ready && exists(running.server) {
            self.running = Some(running);
            return true;
        }
        running.end(b"keep");
        false
    }

    /// Whether this server says who it is, and not another one that took the port before; JetStream
    /// is up by then.
    fn greets(&self) -> bool {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut greeting = String::new();
        let set = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let read = set.and_then(|()| BufReader::new(stream).read_line(&mut greeting));
        read.is_ok() && greeting.starts_with("INFO") && greeting.contains(&self.name())
    }

    /// Unique, as its folder is.
    fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

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

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    let found = folders.map(|folder| folder.join("nats-server")).find(|file| file.exists());
    found.expect(
        "nats-server is installed (on Debian or Ubuntu: apt-get install nats-server), or \
         GROUNDCONTROL_TEST_NATS names a server",
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

fn exists(process: Pid) -> bool {
    Path::new(&format!("/proc/{}", process.as_raw_nonzero())).exists()
        && fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
            .is_ok_and(|stat| !stat.contains(") Z "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_whose_port_another_one_took_is_not_taken_for_it() {
        let first = Server::start_new();
        let mut second = Server::start_new();
        second.stop(Stop::Fast);
        let own = std::mem::replace(&mut second.port, first.port());
        assert!(!second.greets(), "it is the other one that answers there");
        assert!(!second.try_start());
        second.port = own;
        second.start();
        assert!(second.greets() && first.greets());
    }
}
