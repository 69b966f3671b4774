//! The binary as a person runs it: real processes, real sockets, a temporary database.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// `groundcontrol`, without variables of whoever runs the tests.
fn groundcontrol(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundcontrol"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GROUNDCONTROL_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// A server on a free port. Killed when dropped.
struct Server {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

const ADMIN: &str = "gcapi_of_this_test_and_of_no_other_server_xxxx";

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let flags = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data];
        let mut process = groundcontrol(&flags)
            .env("GROUNDCONTROL_ADMIN_TOKEN", ADMIN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut found = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("Ground Control listens on ").map(str::to_owned));
        let url = found.next().expect("the server said where it listens");
        Self { process, url, _folder: folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = groundcontrol(arguments);
        command.env("GROUNDCONTROL_URL", &self.url).env("GROUNDCONTROL_API_TOKEN", ADMIN);
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn agent(&self, id: &str, token: &Path) -> Child {
        groundcontrol(&["satellite", "--url", &self.url, "--client-id", id, "--token-file"])
            .arg(token)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_demo_shows_every_expected_edge_and_leaves_no_process() {
    let output = groundcontrol(&["demo", "--once"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for cause in ["connection_lost", "heartbeat_timeout", "client_closed"] {
        assert_eq!(
            text.lines().filter(|l| l.contains("   event  ") && l.contains(cause)).count(),
            1
        );
    }
    let folder = text.split("Logs are in ").nth(1).unwrap().lines().next().unwrap();
    let folder = folder.trim_end_matches('.');
    assert!(!Path::new(folder).exists(), "{folder} is still there");
    let mine = format!("--data-dir={folder}");
    let left = std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&mine)
    });
    assert!(!left, "the server outlived the demo");
}

#[test]
fn an_agent_that_is_refused_or_told_to_stop_says_so_by_its_exit_code() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let shown = token.display().to_string();
    let made = server.json(&[
        "satellites",
        "create",
        "Lima",
        "--region",
        "sa-west",
        "--save-token",
        &shown,
    ]);
    let id = made["satellite"]["id"].as_str().unwrap();
    assert!(made.get("token").is_none());

    let agent = server.agent(id, &token);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while server.json(&["satellites", "list", "--status", "online"]).as_array().unwrap().is_empty()
    {
        assert!(std::time::Instant::now() < deadline, "the agent did not come online");
    }
    server.json(&["satellites", "set", "Lima", "--disable"]);
    let told = agent.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(4), "{}", String::from_utf8_lossy(&told.stderr));

    let refused = server.agent(id, &token).wait_with_output().unwrap();
    let log = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(3), "{log}");
    assert!(log.contains("refused this satellite"), "{log}");
    let secret = std::fs::read_to_string(&token).unwrap();
    assert!(!log.contains(secret.trim()), "{log}");
}

#[test]
fn a_token_on_standard_input_is_read_and_one_on_the_command_line_is_not() {
    let server = Server::start();
    let list = ["satellites", "list", "--url", &server.url, "--api-token"];
    let mut piped = groundcontrol(&[&list, ["-"].as_slice()].concat())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(piped.stdin.take().unwrap(), "{ADMIN}").unwrap();
    assert!(piped.wait().unwrap().success());
    let typed = groundcontrol(&[&list, [ADMIN].as_slice()].concat()).output().unwrap();
    let error = String::from_utf8(typed.stderr).unwrap();
    assert_eq!(typed.status.code(), Some(1));
    assert!(error.contains("(ps)") && !error.contains(ADMIN), "{error}");
}

#[test]
fn a_load_is_reported_and_cleans_up_after_itself() {
    let server = Server::start();
    let report =
        server.json(&["load", "--satellites", "50", "--hold", "1s", "--heartbeat", "200ms"]);
    assert_eq!(report["authenticated"], 50);
    assert_eq!(report["disconnects"], serde_json::json!({}));
    assert!(report["connectLatencyMs"]["p99"].as_f64().unwrap() > 0.0);
    // One at once and four in the second that follows, of which a slow machine may miss one.
    assert!(report["heartbeatsSent"].as_u64().unwrap() >= 200, "{report}");
    assert!(report["memory"]["perConnectionBytes"].is_number(), "{report}");
    assert_eq!(server.json(&["satellites", "list"]), serde_json::json!([]));
}

#[test]
fn the_satellites_of_a_load_can_be_kept_and_used_again() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens").display().to_string();
    let kept = ["load", "--satellites", "5", "--hold", "0s", "--keep", "--save-tokens", &tokens];
    assert_eq!(server.json(&kept)["satellitesLeft"], 5);
    let again = server.json(&["load", "--hold", "0s", "--tokens-file", &tokens]);
    assert_eq!((&again["satellites"], &again["authenticated"]), (&5.into(), &5.into()));
}

#[test]
fn a_load_on_a_server_of_somebody_else_is_refused() {
    let output = groundcontrol(&["load", "--url", "https://192.0.2.1", "--api-token", "-"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--i-own-this-server"));
}
