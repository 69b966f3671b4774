//! Keeping a server as a folder says, while the folder changes.

use std::time::Duration;

use groundcontrol_core::desired::{Change, plan};
use metrics::{counter, gauge};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::folder::{Folder, Stamp};
use super::leaves::JsonLeaves;
use super::read::read;
use super::server::{Server, perform};

/// A change is applied once the folder stayed as it is for this long, so that nobody's half-written
/// file is taken for whole.
const SETTLED: Duration = Duration::from_millis(300);
/// What was applied is compared with the server this often, though the folder did not change.
const COMPARE: Duration = Duration::from_secs(300);
/// What could not be applied is tried again after this.
const RETRY: Duration = Duration::from_secs(15);

/// What `serve --gitops` was told.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The folder that is followed.
    pub folder: Folder,
    /// Whether what documents made and no document describes any more is removed.
    pub prune: bool,
}

/// A folder that is followed.
pub struct GitOps {
    follow: Follow,
    seen: Mutex<Seen>,
}

/// What this pod did last.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    again_at: Option<Instant>,
    /// What is wrong, as it was told.
    trouble: Option<String>,
}

impl GitOps {
    /// Follows a folder; nothing of it was applied yet.
    pub fn new(follow: Follow) -> Self {
        Self { follow, seen: Mutex::default() }
    }

    /// Looks at the folder, and makes the server as it says where it changed. What is wrong is told
    /// once, and changes nothing.
    pub async fn look(&self, server: &dyn Server) {
        let mut seen = self.seen.lock().await;
        let stamp = match self.stamp().await {
            Ok(stamp) => stamp,
            Err(error) => return seen.trouble(None, format!("{error:#}")),
        };
        let is_due = seen.again_at.is_none_or(|at| at <= Instant::now());
        if seen.stamp.as_ref() == Some(&stamp) && !is_due {
            return;
        }
        sleep(SETTLED).await;
        match self.apply(&stamp, server).await {
            Ok(true) => seen.done(stamp),
            Ok(false) => {}
            Err(error) => seen.trouble(Some(stamp), format!("{error:#}")),
        }
    }

    async fn stamp(&self) -> anyhow::Result<Stamp> {
        let folder = self.follow.folder.clone();
        Ok(tokio::task::spawn_blocking(move || folder.stamp()).await??)
    }

    /// False where the folder changes while it is read: nothing was done.
    async fn apply(&self, stamp: &Stamp, server: &dyn Server) -> anyhow::Result<bool> {
        let folder = self.follow.folder.clone();
        let files = tokio::task::spawn_blocking(move || folder.read()).await??;
        if self.stamp().await? != *stamp {
            return Ok(false);
        }
        let documents = read(&files)?;
        let present = server.present().await?;
        let planned = plan(&documents.wanted, &present, self.follow.prune, &JsonLeaves);
        let planned = planned.map_err(|faults| documents.locate(faults))?;
        perform(&planned, &present, server, |change| {
            counter!("groundcontrol_gitops_changes_total").increment(1);
            let Change { kind, name, step, .. } = change;
            info!(%kind, name, action = step.action().name(), "a document was applied");
            Ok(())
        })
        .await?;
        Ok(true)
    }
}

impl Seen {
    fn done(&mut self, stamp: Stamp) {
        if self.trouble.take().is_some() {
            info!("the documents are applied again");
        }
        gauge!("groundcontrol_gitops_failing").set(0.0);
        (self.stamp, self.again_at) = (Some(stamp), Some(Instant::now() + COMPARE));
    }

    fn trouble(&mut self, stamp: Option<Stamp>, trouble: String) {
        if self.trouble.as_ref() != Some(&trouble) {
            warn!(error = trouble, "the documents could not be applied");
        }
        gauge!("groundcontrol_gitops_failing").set(1.0);
        self.trouble = Some(trouble);
        (self.stamp, self.again_at) = (stamp, Some(Instant::now() + RETRY));
    }
}
