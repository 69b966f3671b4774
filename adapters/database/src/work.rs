//! The ports of the work: which call goes where.

use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::assignment::{
    Assignment, AssignmentId, Check, CheckId, Configuration, Json, Revision, StoredRevision,
    System, SystemId,
};
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentSource, AssignmentUpdate, CheckUpdate, RevisionStore, RevisionWrite,
    Saved, StoreResult, SystemUpdate, WorkStore,
};
use groundcontrol_core::satellite::{Name, SatelliteId};

use crate::read::{configurations, work as read};
use crate::store::{DatabaseStore, doing};
use crate::write::{
    CreateAssignment, CreateCheck, CreateSystem, RecordApplied, RecordRevisions, RemoveAssignment,
    RemoveNamed, SetPolicy, UpdateAssignment, UpdateCheck, UpdateSystem,
};

#[async_trait]
impl WorkStore for DatabaseStore {
    async fn create_system(&self, new: System) -> StoreResult<Saved> {
        self.writer().write(CreateSystem(new)).await
    }

    async fn system(&self, id: SystemId) -> StoreResult<Option<System>> {
        doing("read a system", read::system(self.reader(), id).await)
    }

    async fn systems(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<System>> {
        doing("list systems", read::systems(self.reader(), after, limit).await)
    }

    async fn update_system(&self, id: SystemId, update: SystemUpdate) -> StoreResult<Saved> {
        self.writer().write(UpdateSystem(id, update)).await
    }

    async fn remove_system(&self, id: SystemId) -> StoreResult<bool> {
        self.writer().write(RemoveNamed { table: "systems", id: id.0 }).await
    }

    async fn create_check(&self, new: Check) -> StoreResult<Saved> {
        self.writer().write(CreateCheck(new)).await
    }

    async fn check(&self, id: CheckId) -> StoreResult<Option<Check>> {
        doing("read a check", read::check(self.reader(), id).await)
    }

    async fn checks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Check>> {
        doing("list checks", read::checks(self.reader(), after, limit).await)
    }

    async fn update_check(&self, id: CheckId, update: CheckUpdate) -> StoreResult<Saved> {
        self.writer().write(UpdateCheck(id, update)).await
    }

    async fn remove_check(&self, id: CheckId) -> StoreResult<bool> {
        self.writer().write(RemoveNamed { table: "checks", id: id.0 }).await
    }

    async fn create_assignment(&self, new: Assignment) -> StoreResult<Saved> {
        self.writer().write(CreateAssignment(new)).await
    }

    async fn assignment(&self, id: AssignmentId) -> StoreResult<Option<Assignment>> {
        doing("read an assignment", read::assignment(self.reader(), id).await)
    }

    async fn assignments(&self, query: &AssignmentQuery) -> StoreResult<Vec<Assignment>> {
        doing("list assignments", read::assignments(self.reader(), query).await)
    }

    async fn update_assignment(
        &self,
        id: AssignmentId,
        update: AssignmentUpdate,
    ) -> StoreResult<Saved> {
        self.writer().write(UpdateAssignment(id, update)).await
    }

    async fn remove_assignment(&self, id: AssignmentId) -> StoreResult<bool> {
        self.writer().write(RemoveAssignment(id)).await
    }

    async fn sandbox_policy(&self) -> StoreResult<Option<Json>> {
        doing("read the sandbox policy", read::sandbox_policy(self.reader()).await)
    }

    async fn set_sandbox_policy(&self, policy: Option<Json>) -> StoreResult<()> {
        self.writer().write(SetPolicy(policy)).await
    }
}

#[async_trait]
impl AssignmentSource for DatabaseStore {
    async fn configurations(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<Arc<Configuration>>> {
        let found = configurations::configurations(self.reader(), satellites.to_vec()).await;
        let found = doing("read what satellites run", found)?;
        Ok(satellites.iter().map(|id| found.get(id).cloned().unwrap_or_default()).collect())
    }

    async fn configuration(&self, satellite: SatelliteId) -> StoreResult<Arc<Configuration>> {
        Ok(self.lookups().configurations.get(satellite).await?.unwrap_or_default())
    }
}

#[async_trait]
impl RevisionStore for DatabaseStore {
    async fn revisions(&self, satellites: &[SatelliteId]) -> StoreResult<Vec<StoredRevision>> {
        let found = configurations::revisions(self.reader(), satellites.to_vec()).await;
        let found = doing("read revisions", found)?;
        Ok(satellites.iter().map(|id| found.get(id).copied().unwrap_or_default()).collect())
    }

    async fn revision(&self, satellite: SatelliteId) -> StoreResult<StoredRevision> {
        Ok(self.lookups().revisions.get(satellite).await?.unwrap_or_default())
    }

    async fn record_revisions(&self, writes: &[RevisionWrite]) -> StoreResult<Vec<bool>> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        self.writer().write(RecordRevisions(writes.to_vec())).await
    }

    async fn record_applied(&self, applied: &[(SatelliteId, Revision)]) -> StoreResult<()> {
        if applied.is_empty() {
            return Ok(());
        }
        self.writer().write(RecordApplied(applied.to_vec())).await
    }
}
