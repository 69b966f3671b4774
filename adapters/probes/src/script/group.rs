//! A process and all that it starts, as one group that can be ended.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

/// A process group. Whatever is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    reaped: bool,
}

/// Tells when some child of this process ended.
#[derive(Debug)]
pub(super) struct Children(tokio::signal::unix::Signal);

impl Children {
    /// Begin to listen before there is a child to hear of.
    pub(super) fn listen() -> io::Result<Self> {
        signal(SignalKind::child()).map(Self)
    }
}

impl Group {
    /// The group that `child` was started as the leader of.
    pub(super) fn of(child: &Child) -> Option<Self> {
        let leader = Pid::from_raw(i32::try_from(child.id()?).ok()?)?;
        Some(Self { leader, reaped: false })
    }

    /// Waits until the leader is over. It is not reaped: its number, which is that of the group,
    /// stays taken, so that no signal can reach a stranger.
    pub(super) async fn leader_over(&self, children: &mut Children) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(self.leader), options) {
                Ok(None) | Err(Errno::INTR) => {}
                Ok(Some(_)) | Err(_) => return,
            }
            children.0.recv().await;
        }
    }

    /// Asks all of the group to end.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends all of the group.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Takes the exit code of the leader, which is over, after the rest of its group is.
    pub(super) async fn reap(mut self, child: &mut Child) -> io::Result<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        self.kill();
        let status = child.wait().await?;
        self.reaped = true;
        // As shells count it.
        Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }

    fn signal(&self, signal: Signal) {
        match kill_process_group(self.leader, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            // Some of a group may have become another user; they got what could be sent.
            Err(_) => {}
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
        }
    }
}
