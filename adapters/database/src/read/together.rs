//! Which reads are answered together.

use std::sync::Arc;

use groundcontrol_core::assignment::{Configuration, StoredRevision};
use groundcontrol_core::ports::{ConnectionSnapshot, Credentials};

use super::batch::{Batched, Counters};
use super::{configurations, connections};
use crate::database::Database;

/// What is asked of one satellite, often by many callers at the same time.
pub(crate) struct BatchedReads {
    pub(crate) credentials: Batched<Credentials>,
    pub(crate) snapshots: Batched<ConnectionSnapshot>,
    pub(crate) configurations: Batched<Arc<Configuration>>,
    pub(crate) revisions: Batched<StoredRevision>,
}

impl BatchedReads {
    /// Starts the tasks that read, on the current runtime.
    pub(crate) fn start(reader: &Database, lookups: &Arc<Counters>) -> Self {
        let counted = || Arc::clone(lookups);
        let database = reader.clone();
        let credentials = Batched::start("read credentials", counted(), move |ids| {
            let database = database.clone();
            async move { connections::credentials(&database, ids).await }
        });
        let database = reader.clone();
        let snapshots = Batched::start("read a connection", counted(), move |ids| {
            let database = database.clone();
            async move { connections::snapshots(&database, ids).await }
        });
        let database = reader.clone();
        let configurations = Batched::start("read what a satellite runs", counted(), move |ids| {
            let database = database.clone();
            async move { configurations::configurations(&database, ids).await }
        });
        let database = reader.clone();
        let revisions = Batched::start("read a revision", counted(), move |ids| {
            let database = database.clone();
            async move { configurations::revisions(&database, ids).await }
        });
        Self { credentials, snapshots, configurations, revisions }
    }
}
