//! A reader's terminals: one folder, what they exported, and what they left running.

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use groundcontrol_testkit::server::{binary, eventually, within};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::page;

/// The server's address on the page.
const ADDRESS: &str = "127.0.0.1:8080";

/// In place of cargo: what would be built is there already, and a demo need not wait for readers.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
  "run --release -- demo") exec groundcontrol demo --once ;;
  "run --release -- "*) shift 3; exec groundcontrol "$@" ;;
  "build --release --locked") exit 0 ;;
  *) echo "the page says cargo $*, which this test does not know" >&2; exit 1 ;;
esac
"#;

/// Where commands are run.
pub(crate) struct Terminal {
    folder: TempDir,
    address: String,
    exports: Vec<String>,
    /// The id that was last shown.
    id: Option<String>,
    running: Vec<(String, Child)>,
}

impl Terminal {
    /// An empty folder, with the binary, a stand-in for cargo, and the page's own `tests` and `app`.
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).expect("a folder can be made");
        symlink(binary(), bin.join("groundcontrol")).expect("a link can be made");
        std::fs::write(bin.join("cargo"), CARGO).expect("a file can be written");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("cargo"), executable).expect("it can be executable");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        symlink(tests, folder.path().join("tests")).expect("a link can be made");
        let app = tests.with_file_name("app");
        symlink(app, folder.path().join("app")).expect("a link can be made");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port is free").to_string();
        Self { folder, address, exports: Vec::new(), id: None, running: Vec::new() }
    }

    /// What the page says, with this run's address and id.
    pub(crate) fn here(&self, text: &str) -> String {
        let text = text.replace(ADDRESS, &self.address);
        let Some(id) = &self.id else { return text };
        let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "-_".contains(c));
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("ID") {
            filled.push_str(before);
            let part_of_a_word =
                in_word(filled.chars().next_back()) || in_word(after.chars().next());
            filled.push_str(if part_of_a_word { "ID" } else { id });
            rest = after;
        }
        filled + rest
    }

    /// Runs a command and answers its output. One that stays is left running once it has shown
    /// `shows`.
    pub(crate) async fn run(&mut self, command: &str, shows: &[String]) -> String {
        if command.starts_with("export ") {
            self.exports.push(command.to_owned());
            return String::new();
        }
        let filled = self.here(command);
        let log = self.folder.path().join(format!("output-{}", self.running.len()));
        let mut shell = self.shell(&filled, &log);
        let mut child = shell.spawn().expect("a shell can be started");
        let shown = |log: &Path| std::fs::read_to_string(log).unwrap_or_default();
        if page::stays(command) {
            let expected: Vec<String> = shows.iter().map(|text| self.here(text)).collect();
            eventually(&format!("{filled:?} shows {expected:?}"), async || {
                let output = shown(&log);
                let ended = child.try_wait().expect("the command can be asked");
                assert!(ended.is_none(), "{filled:?} did not stay: {output}");
                expected.iter().all(|text| output.contains(text)).then_some(())
            })
            .await;
            self.running.push((filled, child));
        } else {
            let status = within(&filled, child.wait()).await.expect("it can be waited for");
            assert!(status.success(), "{filled:?} failed: {}", shown(&log));
        }
        let output = shown(&log);
        self.id = uuid_in(&output).or(self.id.take());
        output
    }

    fn shell(&self, command: &str, log: &Path) -> Command {
        let script = format!("{}\n{command}", self.exports.join("\n"));
        let output = std::fs::File::create(log).expect("a file can be written");
        let errors = output.try_clone().expect("a file can be shared");
        let bin = self.folder.path().join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("bash");
        shell.args(["-euc", &script]).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GROUNDCONTROL_") {
                shell.env_remove(name);
            }
        }
        shell.env("PATH", format!("{}:{path}", bin.display()));
        shell.env("GROUNDCONTROL_LISTEN", &self.address);
        shell.env("GROUNDCONTROL_URL", format!("http://{}", self.address));
        shell.stdin(Stdio::null()).stdout(output).stderr(errors);
        shell.process_group(0).kill_on_drop(true);
        shell
    }

    /// Stops what was left running, the last one first; each must have stayed until now.
    pub(crate) async fn close(mut self) {
        while let Some((command, mut child)) = self.running.pop() {
            let ended = child.try_wait().expect("the command can be asked");
            assert!(ended.is_none(), "{command:?} did not stay to the end");
            signal_group(&child, Signal::TERM);
            within("it stops", child.wait()).await.expect("it can be waited for");
        }
    }
}

impl Drop for Terminal {
    /// What a failed test left running.
    fn drop(&mut self) {
        for (_, child) in &self.running {
            signal_group(child, Signal::KILL);
        }
    }
}

/// Signals the shell and what it started.
fn signal_group(child: &Child, signal: Signal) {
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(id as i32)) {
        let _ = kill_process_group(group, signal);
    }
}

/// The last UUID in a text.
fn uuid_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    let mut ids = words.filter(|word| uuid::Uuid::try_parse(word).is_ok_and(|_| word.len() == 36));
    ids.next_back().map(str::to_owned)
}
