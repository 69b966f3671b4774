//! `healthcheck-script.script`: programs that behave, and programs that do not.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use groundcontrol_probes::{Entry, Report};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{check, entry, found, message, probes};

fn shell(script: &str, more: Value) -> Entry {
    let mut config = json!({"command": "/bin/sh", "args": ["-c", script]});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry("e1", "healthcheck-script.execute", config)
}

async fn run(entry: Entry) -> Report {
    probes().run(&check("healthcheck-script.script", json!({}), vec![entry])).await
}

/// Waits for `is` to hold, which it does soon or never.
async fn soon(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process with this number is there and not yet over.
fn lives(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'),
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_program_reports_its_exit_code_and_what_it_printed() {
    let report = run(shell("echo out; echo err >&2", json!({}))).await;
    assert!(report.healthy, "{}", report.result);
    let found = found(&report);
    assert_eq!((&found["stdout"], &found["stderr"]), (&json!("out\n"), &json!("err\n")));
    assert_eq!((&found["exitCode"], &found["success"]), (&json!(0), &json!(true)));
    assert_eq!(found["timedOut"], false);
}

#[tokio::test]
async fn another_exit_code_than_0_is_unhealthy() {
    let report = run(shell("exit 3", json!({}))).await;
    assert!(!report.healthy);
    assert_eq!(found(&report)["exitCode"], 3);
    assert_eq!(found(&report)["error"], "exit code 3");
    assert_eq!(found(&run(shell("kill -9 $$", json!({}))).await)["exitCode"], 137);
}

#[tokio::test]
async fn the_environment_is_that_of_the_check_and_nothing_else() {
    let mut entry = shell("env", json!({"env": {"A": "1"}}));
    entry.secret_env = BTreeMap::from([("B".to_owned(), SecretString::from("two words"))]);
    let report = run(entry).await;
    let stdout = found(&report)["stdout"].as_str().unwrap();
    let mut names: Vec<&str> = stdout.lines().filter_map(|line| line.split('=').next()).collect();
    // What shells add by themselves.
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["A", "B", "PATH"]);
    assert!(stdout.contains("B=***"), "{stdout}");
}

#[tokio::test]
async fn a_program_runs_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(shell("pwd", json!({"cwd": folder.path()}))).await;
    let printed = found(&report)["stdout"].as_str().unwrap().trim().to_owned();
    assert_eq!(Path::new(&printed), folder.path().canonicalize().unwrap());
    let report = run(shell("pwd", json!({"cwd": "/nowhere/at/all"}))).await;
    assert!(message(&report).contains("/nowhere/at/all is no folder"), "{}", message(&report));
}

#[tokio::test]
async fn a_program_that_there_is_not_is_a_failure_with_its_name() {
    let report = run(entry("e1", "execute", json!({"command": "no-such-program"}))).await;
    assert!(message(&report).contains("could not start no-such-program"), "{}", message(&report));
    for (config, word) in [
        (json!({"command": ""}), "command: "),
        (json!({}), "`command`"),
        (json!({"command": "true", "env": {"A=B": "1"}}), "A=B"),
        (json!({"command": "true", "env": {"A": 1}}), "env.A"),
        (json!({"command": "true", "args": "x"}), "args"),
    ] {
        let report = run(entry("e1", "execute", config)).await;
        assert!(message(&report).contains(word), "{}", message(&report));
    }
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_and_told() {
    let began = Instant::now();
    let report = run(shell("echo begun; sleep 60", json!({"timeout": 300}))).await;
    let found = found(&report);
    assert_eq!((&found["timedOut"], &found["success"]), (&json!(true), &json!(false)));
    assert_eq!(found["stdout"], "begun\n");
    assert_eq!(found["error"], "it took longer than 300 ms");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_time_out_of_the_whole_run_ends_it_as_well() {
    let entry = shell("sleep 60", json!({}));
    let check = check("script", json!({"timeout": 300}), vec![entry]);
    let report = probes().run(&check).await;
    assert_eq!(found(&report)["timedOut"], true, "{}", report.result);
}

#[tokio::test]
async fn a_program_that_ignores_sigterm_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "trap '' TERM; (trap '' TERM; sleep 300) & echo $$ $! > {}; while :; do sleep 1; done",
        pids.display()
    );
    let began = Instant::now();
    let report = run(shell(&script, json!({"timeout": 500}))).await;
    assert_eq!(found(&report)["timedOut"], true);
    assert!(began.elapsed() < Duration::from_secs(10));
    let pids = std::fs::read_to_string(&pids).unwrap();
    for pid in pids.split_whitespace() {
        soon("a process of the group outlived it", || !lives(pid)).await;
    }
}

#[tokio::test]
async fn what_a_program_leaves_running_ends_with_it_and_delays_nothing() {
    let began = Instant::now();
    let report = run(shell("sleep 300 & echo $!", json!({}))).await;
    assert!(report.healthy, "{}", report.result);
    assert!(began.elapsed() < Duration::from_secs(10));
    let pid = found(&report)["stdout"].as_str().unwrap().trim().to_owned();
    soon("the process outlived its parent", || !lives(&pid)).await;
}

#[tokio::test]
async fn a_process_that_left_the_group_and_holds_the_output_delays_nothing() {
    let began = Instant::now();
    let report = run(shell("setsid sleep 20 & echo done", json!({}))).await;
    assert_eq!(found(&report)["stdout"], "done\n", "{}", report.result);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_run_that_is_abandoned_leaves_no_process_behind() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("echo $$ > {}; sleep 300", pid.display());
    let running = tokio::spawn(run(shell(&script, json!({}))));
    let read = || std::fs::read_to_string(&pid).unwrap_or_default().trim().to_owned();
    soon("the script did not begin", || !read().is_empty()).await;
    running.abort();
    soon("the process outlived its run", || !lives(&read())).await;
}

#[tokio::test]
async fn a_gibibyte_of_output_is_read_and_dropped_beyond_its_bound() {
    let report = run(shell("head -c 1073741824 /dev/zero | tr '\\0' 'x'", json!({}))).await;
    assert!(report.healthy, "{}", report.result["message"]);
    assert_eq!(found(&report)["stdout"].as_str().unwrap().len(), 64 * 1024);
    assert_eq!(found(&report)["outputTruncated"], true);
}

#[tokio::test]
async fn secrets_are_hidden_however_they_are_printed() {
    let secret = "s3cret-value";
    // In one piece, in two writes with a pause between them, on stderr, and across the bound.
    let script = "printf %s \"$KEY\"; printf s3cret; sleep 0.2; printf -- -value; \
                  printf %s \"$KEY\" >&2; head -c 65500 /dev/zero | tr '\\0' x; printf %s \"$KEY\"; \
                  printf %s \"$KEY\"";
    let mut entry = shell(script, json!({}));
    entry.secret_env = BTreeMap::from([("KEY".to_owned(), SecretString::from(secret))]);
    let report = run(entry).await;
    let found = found(&report);
    assert!(found["stdout"].as_str().unwrap().starts_with("******x"), "{}", report.result);
    assert_eq!(found["stderr"], "***");
    assert!(!report.result.to_string().contains("s3cret"));
}
