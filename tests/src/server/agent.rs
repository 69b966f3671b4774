//! The real agent, as a process.

use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::api::Satellite;
use super::binary::binary;
use super::process::{self, Exited};
use super::site::Site;
use super::wait::within;

/// A running `groundcontrol satellite`.
pub struct Agent {
    child: Child,
    log: PathBuf,
}

impl Agent {
    /// Starts an agent for `satellite`, with its token in a file.
    pub fn start(site: &Site, url: &str, satellite: &Satellite) -> Self {
        Self::start_with(site, url, satellite, &[])
    }

    /// As [`start`](Self::start), with more arguments.
    pub fn start_with(site: &Site, url: &str, satellite: &Satellite, more: &[&str]) -> Self {
        let log = site.folder().join(format!("agent-{}.log", satellite.id));
        let mut command = Self::command(site, url, satellite, more);
        let errors = std::fs::File::create(&log).expect("the log can be written");
        command.stdout(Stdio::null()).stderr(errors);
        Self { child: command.spawn().expect("the agent can be started"), log }
    }

    /// Runs an agent that ends by itself.
    pub async fn run(site: &Site, url: &str, satellite: &Satellite, more: &[&str]) -> Exited {
        process::run(Self::command(site, url, satellite, more)).await
    }

    fn command(site: &Site, url: &str, satellite: &Satellite, more: &[&str]) -> Command {
        let token = site.folder().join(format!("token-{}", satellite.id));
        std::fs::write(&token, format!("{}\n", satellite.token)).expect("a file can be written");
        let mut command = process::command(&binary());
        command.args(["satellite", "--url", url, "--client-id", &satellite.id, "--token-file"]);
        command.arg(token).args(more);
        command
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the agent is running")
    }

    /// Kills it (SIGKILL): the system closes its connection, it says nothing.
    pub async fn kill(mut self) {
        process::signal(&self.child, Signal::KILL);
        let _ = within("the agent is gone", self.child.wait()).await;
    }

    /// Halts it (SIGSTOP): its connection stays open, and it says nothing.
    pub fn halt(&self) {
        process::signal(&self.child, Signal::STOP);
    }

    /// Lets a halted agent go on (SIGCONT).
    pub fn resume(&self) {
        process::signal(&self.child, Signal::CONT);
    }

    /// Stops it as a service manager does (SIGTERM), and answers its exit code.
    pub async fn stop(self) -> Option<i32> {
        process::signal(&self.child, Signal::TERM);
        self.ended().await
    }

    /// Waits until it ends by itself, and answers its exit code.
    pub async fn ended(mut self) -> Option<i32> {
        let status = within("the agent ends", self.child.wait()).await;
        status.expect("the agent can be waited for").code()
    }

    /// What it logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
