//! Doing what was planned.

use async_trait::async_trait;
use groundcontrol_core::desired::{Change, Names, Plan, Present, Step};

/// A server that documents are applied to.
#[async_trait]
pub trait Server: Send + Sync {
    /// Everything that is there.
    async fn present(&self) -> anyhow::Result<Present>;

    /// Does one step; `names` has the ids of what is there, and gets those of what is made.
    async fn perform(&self, step: &Step, names: &mut Names) -> anyhow::Result<()>;
}

/// A plan that could be done only in part. What is left is done by the next one.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} {:?} could not be done, after {done} of {of} changes; apply again to go on",
    .change.kind, .change.name
)]
pub struct Stopped {
    /// Changes that were made.
    pub done: usize,
    /// Changes that were planned.
    pub of: usize,
    /// The one that was not made.
    pub change: Box<Change>,
    /// Why.
    pub source: anyhow::Error,
}

/// Makes the changes of a plan in their order, and tells of each that was made.
pub async fn perform(
    plan: &Plan,
    present: &Present,
    server: &dyn Server,
    mut made: impl FnMut(&Change) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut names = present.names();
    let of = plan.changes.len();
    for (done, change) in plan.changes.iter().enumerate() {
        if let Err(source) = server.perform(&change.step, &mut names).await {
            let change = Box::new(change.clone());
            return Err(Stopped { done, of, change, source }.into());
        }
        made(change)?;
    }
    Ok(())
}
