//! Reads of one row each, answered together: in a storm, thousands of connections ask for one
//! satellite each, and what queued while the last statement ran is read by the next.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundcontrol_core::ports::StoreResult;
use groundcontrol_core::satellite::SatelliteId;
use tokio::sync::{mpsc, oneshot};

use crate::error::Failure;

/// Callers that wait; one more waits for a place in the queue.
const QUEUE: usize = 4096;
/// Rows that one statement reads at most.
const BATCH: usize = 512;

type Answer<T> = oneshot::Sender<StoreResult<Option<T>>>;

/// The way to a task that reads for many.
#[derive(Debug)]
pub(crate) struct Batched<T> {
    doing: &'static str,
    queue: mpsc::Sender<(SatelliteId, Answer<T>)>,
}

/// What was asked and how often the database was.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) lookups: AtomicU64,
    pub(crate) statements: AtomicU64,
}

impl<T> Clone for Batched<T> {
    fn clone(&self) -> Self {
        Self { doing: self.doing, queue: self.queue.clone() }
    }
}

impl<T: Clone + Send + 'static> Batched<T> {
    /// Starts the task on the current runtime; it ends when every `Batched` is dropped. `read`
    /// reads those of some ids that exist; a caller is answered by a read that began after it
    /// asked, so it sees whatever was committed before.
    pub(crate) fn start<F>(
        doing: &'static str,
        counters: Arc<Counters>,
        read: impl Fn(Vec<SatelliteId>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<HashMap<SatelliteId, T>, Failure>> + Send,
    {
        let (queue, mut asked) = mpsc::channel::<(SatelliteId, Answer<T>)>(QUEUE);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while asked.recv_many(&mut waiting, BATCH).await > 0 {
                counters.lookups.fetch_add(waiting.len() as u64, Ordering::Relaxed);
                counters.statements.fetch_add(1, Ordering::Relaxed);
                let found = read(waiting.iter().map(|(id, _)| *id).collect()).await;
                for (id, answer) in waiting.drain(..) {
                    let result = match &found {
                        Ok(found) => Ok(found.get(&id).cloned()),
                        Err(failure) => Err(failure.to_store_error(doing)),
                    };
                    // A caller that went away needs no answer.
                    answer.send(result).ok();
                }
            }
        });
        Self { doing, queue }
    }

    /// What is stored of `id`.
    pub(crate) async fn get(&self, id: SatelliteId) -> StoreResult<Option<T>> {
        let (sender, answer) = oneshot::channel();
        let gone = || Failure::Closed.to_store_error(self.doing);
        self.queue.send((id, sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
