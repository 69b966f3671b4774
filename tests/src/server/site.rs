//! A place where a server runs, and runs again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::api::Api;
use super::binary::binary;
use super::process::{self, Exited, Server};

/// How often satellites send heartbeats at a test's site. A pod that sleeps for longer closes its
/// sockets (rule T5), so it is no less than what a busy machine may hold a process up.
pub const HEARTBEAT: Duration = Duration::from_millis(600);
/// How long silence may last at a test's site.
pub const THRESHOLD: Duration = Duration::from_millis(1_200);
/// More than a test's site needs to store a heartbeat, and to notice that it lacks one.
pub const SETTLE: Duration = Duration::from_millis(500);

/// The API token of every site; it is one of the secrets that must not show in a log.
pub(super) const ADMIN_TOKEN: &str = "gcapi_for_tests_0123456789abcdefghijklmnopq";

/// A data folder, a port, a log, and the secrets that the log must not show.
pub struct Site {
    folder: TempDir,
    port: Mutex<u16>,
    secrets: Mutex<Vec<String>>,
}

impl Site {
    /// A new place. The server there takes any free port.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("groundcontrol-").tempdir();
        Self {
            folder: folder.expect("a temporary folder can be made"),
            port: Mutex::new(0),
            secrets: Mutex::new(vec![ADMIN_TOKEN.to_owned()]),
        }
    }

    /// A new place whose server keeps its port when it is started again. The port lies below those
    /// that the system gives to outgoing connections, so that nobody takes it in between.
    pub fn with_lasting_port() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let site = Self::new();
        let start = (std::process::id() % 10_000) as u16;
        let port = (0..10_000)
            .map(|_| 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        *site.port.lock().expect("no test panicked here") = port.expect("a port is free");
        site
    }

    /// The site's folder, for whatever a test wants to put beside the data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server, and waits until it says that it listens.
    ///
    /// # Panics
    /// Where it does not, with its log.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[]).await
    }

    /// As [`serve`](Self::serve), with more arguments.
    pub async fn serve_with(&self, more: &[&str]) -> Server {
        let address = format!("127.0.0.1:{}", *self.port.lock().expect("no test panicked here"));
        let arguments = [&["--listen", &address], more].concat();
        process::start(self.command(&arguments), self.log()).await
    }

    /// Starts a server that logs all that it can.
    pub async fn serve_with_trace(&self) -> Server {
        let mut command = self.command(&["--listen", "127.0.0.1:0"]);
        command.env("GROUNDCONTROL_LOG", "trace");
        process::start(command, self.log()).await
    }

    /// Starts a server on a disk that a test can fill: see [`Server::fill_disk`].
    pub async fn serve_on_limited_disk(&self) -> Server {
        let direct = self.command(&["--listen", "127.0.0.1:0"]);
        process::start(process::surviving_limits(&direct), self.log()).await
    }

    /// Starts a server that cannot start, and answers how it ended.
    pub async fn fail_to_serve(&self, arguments: &[&str]) -> Exited {
        process::run(self.command(arguments)).await
    }

    /// Runs `groundcontrol` with these arguments against the server at `url`, to its end.
    pub async fn operate(&self, url: &str, arguments: &[&str]) -> Exited {
        let mut command = process::command(&binary());
        command.args(arguments).current_dir(self.folder());
        command.env("GROUNDCONTROL_URL", url).env("GROUNDCONTROL_API_TOKEN", ADMIN_TOKEN);
        process::run(command).await
    }

    /// `groundcontrol serve` at this site, with these arguments besides.
    fn command(&self, arguments: &[&str]) -> Command {
        let given = |flag: &str| arguments.contains(&flag);
        let mut command = process::command(&binary());
        command.arg("serve").args(arguments);
        command.env("GROUNDCONTROL_ADMIN_TOKEN", ADMIN_TOKEN);
        command.env("GROUNDCONTROL_LOG", "debug");
        let data = self.data();
        let settings = [
            ("--data-dir", data.display().to_string()),
            ("--heartbeat-interval", format!("{}ms", HEARTBEAT.as_millis())),
            ("--offline-threshold", format!("{}ms", THRESHOLD.as_millis())),
        ];
        for (flag, value) in settings.into_iter().filter(|(flag, _)| !given(flag)) {
            command.arg(flag).arg(value);
        }
        command
    }

    /// Runs another command of the binary against `server`, as somebody who may do everything.
    pub async fn run(&self, server: &Server, arguments: &[&str]) -> Exited {
        let mut command = process::command(&binary());
        command.args(arguments).env("GROUNDCONTROL_URL", server.url());
        command.env("GROUNDCONTROL_API_TOKEN", ADMIN_TOKEN);
        process::run(command).await
    }

    /// A client of the server at `url` that may do everything.
    pub fn api(&self, server: &Server) -> Api {
        Api::new(server.url(), ADMIN_TOKEN)
    }

    /// What all servers at this site logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The log must never show `secret`; whether it did is looked at when the site is left.
    pub fn keep_secret(&self, secret: &str) {
        self.secrets.lock().expect("no test panicked here").push(secret.to_owned());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Site {
    /// Shows the log of a test that failed; of one that passed, makes sure that it has no secret.
    fn drop(&mut self) {
        let log = self.logged();
        if std::thread::panicking() {
            let from = log.len().saturating_sub(16_000);
            eprintln!("--- the server's log, its end ---\n{}", log.get(from..).unwrap_or(&log));
            return;
        }
        for secret in self.secrets.lock().expect("no test panicked here").iter() {
            assert!(!log.contains(secret.as_str()), "the server's log shows a token");
        }
    }
}
