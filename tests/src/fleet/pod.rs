//! One pod's place: its paths, its log, its wall clock, and the process that runs there now.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::proxy::Proxy;
use crate::server::{Server, binary, process};

/// Between two attempts to start a pod that ended at once, as one does whose database is away.
const AGAIN: Duration = Duration::from_millis(500);

/// A place where one pod runs after the other.
pub struct Pod {
    /// Its number.
    pub number: usize,
    /// The path that agents and operators take to it.
    pub front: Proxy,
    /// The path that it takes to the database.
    pub back: Proxy,
    folder: PathBuf,
    settings: Vec<String>,
    admin_token: parking_lot::Mutex<Option<String>>,
    starts: AtomicU32,
    /// The process. Whoever does something to it holds it for that long.
    process: Mutex<Option<Server>>,
}

/// The API token of all pods.
pub(super) const ADMIN_TOKEN: &str = "gcapi_for_fleets_0123456789abcdefghijklmnop";

impl Pod {
    /// A place without a pod so far. `settings` are arguments of `serve`.
    pub(super) async fn make(
        number: usize,
        folder: &Path,
        database: SocketAddr,
        settings: &[String],
    ) -> Self {
        let folder = folder.join(format!("pod-{number}"));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let back = Proxy::start().await;
        back.lead_to(Some(database));
        let front = Proxy::start().await;
        let settings = settings.to_vec();
        let pod = Self {
            number,
            front,
            back,
            folder,
            settings,
            admin_token: parking_lot::Mutex::new(Some(ADMIN_TOKEN.to_owned())),
            starts: AtomicU32::new(0),
            process: Mutex::new(None),
        };
        pod.set_wall_clock(Duration::ZERO, false);
        pod
    }

    /// Its URL for agents and operators, which stays.
    pub fn url(&self) -> String {
        format!("http://{}", self.front.address())
    }

    /// Starts a pod here, again and again until one stays.
    pub async fn start(&self) {
        let mut process = self.process.lock().await;
        self.start_in(&mut process).await;
    }

    async fn start_in(&self, process: &mut Option<Server>) {
        loop {
            if let Some(server) = process::try_start(self.command(), self.log()).await {
                let address = server.url().strip_prefix("http://").and_then(|at| at.parse().ok());
                self.front.lead_to(address);
                *process = Some(server);
                return;
            }
            sleep(AGAIN).await;
        }
    }

    /// Kills the pod (SIGKILL), leaves the place empty for a while, and starts another.
    pub async fn kill_and_replace(&self, after: Duration) {
        let mut process = self.process.lock().await;
        self.front.lead_to(None);
        if let Some(server) = process.take() {
            server.kill().await;
        }
        sleep(after).await;
        self.start_in(&mut process).await;
    }

    /// Kills the pod (SIGKILL).
    pub async fn kill(&self) {
        let mut process = self.process.lock().await;
        self.front.lead_to(None);
        if let Some(server) = process.take() {
            server.kill().await;
        }
    }

    /// Stops the pod as a service manager does (SIGTERM), and starts another. Nobody reaches the
    /// place in between, though the one that stops still serves who is connected.
    pub async fn drain_and_replace(&self) -> Option<i32> {
        let mut process = self.process.lock().await;
        self.front.lead_to(None);
        let code = match process.take() {
            Some(server) => server.stop().await,
            None => None,
        };
        self.start_in(&mut process).await;
        code
    }

    /// Halts the process (SIGSTOP) for a while.
    pub async fn sleep(&self, span: Duration) {
        let process = self.process.lock().await;
        if let Some(server) = &*process {
            server.halt();
            sleep(span).await;
            server.resume();
        }
    }

    /// From now on, the wall clock of the pod that runs here, and of those that follow, is off by
    /// this much.
    ///
    /// # Panics
    /// Where the file that says so cannot be written.
    pub fn set_wall_clock(&self, off: Duration, behind: bool) {
        let sign = if behind { "-" } else { "" };
        let text = format!("{sign}{}", off.as_millis());
        // Written beside it and moved, so that no pod reads half a number.
        let whole = self.folder.join("wall-clock");
        let part = self.folder.join("wall-clock.part");
        std::fs::write(&part, text).expect("a file can be written");
        std::fs::rename(part, whole).expect("a file can be moved");
    }

    /// The pods that follow here are told this first API token, or none.
    pub fn set_admin_token(&self, token: Option<&str>) {
        *self.admin_token.lock() = token.map(str::to_owned);
    }

    /// What all pods here logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn command(&self) -> Command {
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let mut command = process::command(&binary());
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(&self.settings);
        let database = format!("postgres://postgres@{}/postgres", self.back.address());
        command.args(["--database", &database]);
        command.arg("--data-dir").arg(self.folder.join("data"));
        command.args(["--pod", &format!("pod-{}-{start}", self.number)]);
        if let Some(token) = &*self.admin_token.lock() {
            command.env("GROUNDCONTROL_ADMIN_TOKEN", token);
        }
        command.env("GROUNDCONTROL_LOG", "info");
        command.env("GROUNDCONTROL_TEST_WALL_CLOCK", self.folder.join("wall-clock"));
        command
    }
}
