//! What waits to be written, and how its caller is answered.

use async_trait::async_trait;
use groundcontrol_core::ports::{EdgeWrite, HeartbeatWrite, StoreResult, WriteOutcome};
use groundcontrol_core::satellite::{ReportedAgent, SatelliteId};
use tokio::sync::oneshot;

use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;

/// One caller's write.
pub(super) enum Job {
    Heartbeats(Heartbeats),
    Agent(Agent),
    Other(Box<dyn AnyWrite>),
    Edges(Edges),
    Close(oneshot::Sender<()>),
}

/// Writes that are committed together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) heartbeats: Vec<Heartbeats>,
    pub(super) agents: Vec<Agent>,
    pub(super) others: Vec<Box<dyn AnyWrite>>,
    pub(super) edges: Vec<Edges>,
}

/// One call's heartbeats, with the indexes of those that were not applied.
pub(super) struct Heartbeats {
    pub(super) beats: Vec<HeartbeatWrite>,
    pub(super) refused: Vec<usize>,
    reply: Reply<Vec<usize>>,
}

/// One call's edges, with what became of each.
pub(super) struct Edges {
    pub(super) writes: Vec<EdgeWrite>,
    pub(super) outcomes: Vec<WriteOutcome>,
    reply: Reply<Vec<WriteOutcome>>,
}

/// What one agent says of itself.
pub(super) struct Agent {
    pub(super) satellite: SatelliteId,
    pub(super) agent: ReportedAgent,
    pub(super) reply: Reply<()>,
}

/// A write that is rare enough to be made by statements of its own. It may be tried twice, so it
/// keeps what it writes.
#[async_trait]
pub(crate) trait Write: Send + Sync + 'static {
    /// What the caller is answered.
    type Output: Send + 'static;
    /// What is being done; completes "could not …".
    const DOING: &'static str;
    /// Whether it changes what a silence depends on besides its satellite.
    const CHANGES_WATCHING: bool = false;
    /// Does it, in the transaction that is open. Transitions go to `recording`, which is written
    /// at the end of the group.
    async fn write(
        &self,
        database: &Database,
        recording: &mut Recording,
    ) -> Result<Self::Output, Failure>;
}

/// A [`Write`] with its caller.
pub(super) struct Pending<W: Write> {
    write: W,
    output: Option<W::Output>,
    reply: Reply<W::Output>,
}

/// Any [`Pending`] write.
#[async_trait]
pub(super) trait AnyWrite: Send {
    fn changes_watching(&self) -> bool;
    async fn write(
        &mut self,
        database: &Database,
        recording: &mut Recording,
    ) -> Result<(), Failure>;
    fn answer(self: Box<Self>);
    fn refuse(self: Box<Self>, why: &Failure);
}

/// Where a caller waits. A caller that went away is not missed: the write is made all the same.
pub(super) struct Reply<T> {
    doing: &'static str,
    sender: oneshot::Sender<StoreResult<T>>,
}

impl<T> Reply<T> {
    pub(super) fn channel(doing: &'static str) -> (Self, oneshot::Receiver<StoreResult<T>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { doing, sender }, receiver)
    }

    pub(super) fn answer(self, value: T) {
        self.sender.send(Ok(value)).ok();
    }

    pub(super) fn refuse(self, why: &Failure) {
        self.sender.send(Err(why.to_store_error(self.doing))).ok();
    }
}

impl Heartbeats {
    pub(super) fn new(beats: Vec<HeartbeatWrite>, reply: Reply<Vec<usize>>) -> Self {
        Self { beats, refused: Vec::new(), reply }
    }
}

impl Edges {
    pub(super) fn new(writes: Vec<EdgeWrite>, reply: Reply<Vec<WriteOutcome>>) -> Self {
        let outcomes = vec![WriteOutcome::Conflict; writes.len()];
        Self { writes, outcomes, reply }
    }
}

impl<W: Write> Pending<W> {
    pub(super) fn new(write: W, reply: Reply<W::Output>) -> Self {
        Self { write, output: None, reply }
    }
}

#[async_trait]
impl<W: Write> AnyWrite for Pending<W> {
    fn changes_watching(&self) -> bool {
        W::CHANGES_WATCHING
    }

    async fn write(
        &mut self,
        database: &Database,
        recording: &mut Recording,
    ) -> Result<(), Failure> {
        self.output = Some(self.write.write(database, recording).await?);
        Ok(())
    }

    fn answer(self: Box<Self>) {
        if let Some(output) = self.output {
            self.reply.answer(output);
        }
    }

    fn refuse(self: Box<Self>, why: &Failure) {
        self.reply.refuse(why);
    }
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.heartbeats.len() + self.agents.len() + self.others.len() + self.edges.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same writes, each in a group of its own.
    pub(super) fn apart(self) -> Vec<Self> {
        let mut groups = Vec::with_capacity(self.len());
        let heartbeats = self.heartbeats.into_iter();
        groups.extend(heartbeats.map(|job| Self { heartbeats: vec![job], ..Self::default() }));
        let agents = self.agents.into_iter();
        groups.extend(agents.map(|job| Self { agents: vec![job], ..Self::default() }));
        let others = self.others.into_iter();
        groups.extend(others.map(|job| Self { others: vec![job], ..Self::default() }));
        let edges = self.edges.into_iter();
        groups.extend(edges.map(|job| Self { edges: vec![job], ..Self::default() }));
        groups
    }

    pub(super) fn answer(self) {
        self.heartbeats.into_iter().for_each(|job| job.reply.answer(job.refused));
        self.agents.into_iter().for_each(|job| job.reply.answer(()));
        self.others.into_iter().for_each(AnyWrite::answer);
        self.edges.into_iter().for_each(|job| job.reply.answer(job.outcomes));
    }

    pub(super) fn refuse(self, why: &Failure) {
        self.heartbeats.into_iter().for_each(|job| job.reply.refuse(why));
        self.agents.into_iter().for_each(|job| job.reply.refuse(why));
        self.others.into_iter().for_each(|job| job.refuse(why));
        self.edges.into_iter().for_each(|job| job.reply.refuse(why));
    }
}

/// `items` in rounds: at most `most` in each, and no satellite twice, so that one statement can
/// take a round; a satellite's own items keep their order.
pub(super) fn rounds<T>(
    mut items: Vec<T>,
    satellite: impl Fn(&T) -> SatelliteId,
    most: usize,
) -> Vec<Vec<T>> {
    // In the order of the ids, a statement walks the table from page to page.
    items.sort_by_key(&satellite);
    let mut layers: Vec<Vec<T>> = Vec::new();
    let (mut last, mut layer) = (None, 0);
    for item in items {
        let id = satellite(&item);
        layer = if last == Some(id) { layer + 1 } else { 0 };
        last = Some(id);
        if layer == layers.len() {
            layers.push(Vec::new());
        }
        layers[layer].push(item);
    }
    layers.into_iter().flat_map(|layer| split(layer, most)).collect()
}

fn split<T>(mut items: Vec<T>, most: usize) -> Vec<Vec<T>> {
    let mut parts = Vec::with_capacity(items.len().div_ceil(most));
    while items.len() > most {
        let rest = items.split_off(most);
        parts.push(std::mem::replace(&mut items, rest));
    }
    parts.push(items);
    parts
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn rounds_hold_no_satellite_twice_and_keep_its_order() {
        let items = [(2, 'a'), (1, 'b'), (2, 'c'), (3, 'd'), (2, 'e')];
        let rounds = rounds(items.to_vec(), |item| SatelliteId(Uuid::from_u128(item.0)), 2);
        assert_eq!(
            rounds,
            [vec![(1, 'b'), (2, 'a')], vec![(3, 'd')], vec![(2, 'c')], vec![(2, 'e')]]
        );
    }
}
