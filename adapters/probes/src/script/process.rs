//! Runs a program to its end: in time, with bounded output, and with nothing left behind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use super::group::{Children, Group};
use crate::capture::{Capture, Captured};
use crate::error::ProbeError;
use crate::strategy::Task;

/// Bytes of each stream that a result shows.
const MAX_OUTPUT: usize = 64 * 1024;
/// How long a program that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_millis(500);
/// How long output is waited for after the program's end: a process that left its group may still
/// hold the pipe.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// What to run.
pub(super) struct Program {
    pub(super) command: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) cwd: Option<PathBuf>,
    /// All of its environment.
    pub(super) env: BTreeMap<OsString, OsString>,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) exit_code: i32,
    pub(super) timed_out: bool,
    pub(super) stdout: Captured,
    pub(super) stderr: Captured,
}

/// Runs `program` until `end` at most.
pub(super) async fn run(
    program: Program,
    end: Instant,
    task: &Task<'_>,
) -> Result<Ended, ProbeError> {
    let name = program.command.to_string_lossy().into_owned();
    let failed = |why| ProbeError::Io { doing: format!("run {name}"), why };
    let mut children = Children::listen().map_err(failed)?;
    let mut child = start(program)?;
    let group = Group::of(&child).ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut out = Capture::new(MAX_OUTPUT, task.masker);
    let mut err = Capture::new(MAX_OUTPUT, task.masker);
    let timed_out = {
        let mut reading = pin!(join(drain(stdout, &mut out), drain(stderr, &mut err)));
        let mut over = pin!(until_over(&group, &mut children, end));
        let mut read = false;
        let timed_out = loop {
            tokio::select! {
                timed_out = &mut over => break timed_out,
                _ = &mut reading, if !read => read = true,
            }
        };
        // What the program left running holds the pipes as well.
        group.kill();
        if !read {
            let _ = timeout(LEFTOVERS, reading).await;
        }
        timed_out
    };
    let exit_code = group.reap(&mut child).await.map_err(failed)?;
    Ok(Ended { exit_code, timed_out, stdout: out.finish(), stderr: err.finish() })
}

fn start(program: Program) -> Result<Child, ProbeError> {
    let Program { command, args, cwd, env } = program;
    let mut starting = Command::new(&command);
    starting
        .args(args)
        .env_clear()
        .envs(env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(cwd) = &cwd {
        if !cwd.is_dir() {
            return Err(ProbeError::Config(format!("cwd: {} is no folder", cwd.display())));
        }
        starting.current_dir(cwd);
    }
    starting.spawn().map_err(|why| ProbeError::Io {
        doing: format!("start {}", command.to_string_lossy()),
        why,
    })
}

/// Waits for the leader's end; asks for it at `end`, and then enforces it. True: it took too long.
async fn until_over(group: &Group, children: &mut Children, end: Instant) -> bool {
    if timeout_at(end, group.leader_over(children)).await.is_ok() {
        return false;
    }
    group.terminate();
    if timeout(GRACE, group.leader_over(children)).await.is_err() {
        group.kill();
        group.leader_over(children).await;
    }
    true
}

/// Reads to the end, however much there is: a program whose output nobody reads would wait.
async fn drain(stream: Option<impl AsyncRead + Unpin>, into: &mut Capture<'_>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = Zeroizing::new(vec![0; 64 * 1024]);
    while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
        into.push(&buffer[..bytes]);
    }
}
