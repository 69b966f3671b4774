//! The port that operators' adapters call about what satellites run.

use async_trait::async_trait;
use groundcontrol_core::assignment::{
    Assignment, AssignmentId, Check, CheckId, Json, System, SystemId,
};
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentRequest, AssignmentUpdate, CheckRequest, CheckUpdate, Dangling,
    FieldError, FleetError, LatestQuery, Nudge, RunQuery, RunStore, Saved, SystemRequest,
    SystemUpdate, WorkService,
};
use groundcontrol_core::run::{StoredRun, StrategyError};
use groundcontrol_core::satellite::{Name, SatelliteId};

use crate::pod::{GroundControl, WorkPorts};

const SYSTEM: &str = "system";
const CHECK: &str = "check";
const ASSIGNMENT: &str = "assignment";

impl GroundControl {
    fn work(&self) -> Result<&WorkPorts, FleetError> {
        let work = self.pod.work.as_ref().map(|work| &work.ports);
        work.ok_or(FleetError::NotOffered { what: "work for satellites" })
    }

    fn run_store(&self) -> Result<&dyn RunStore, FleetError> {
        let runs = self.pod.runs.as_ref().map(|runs| &*runs.ports.store);
        runs.ok_or(FleetError::NotOffered { what: "results of checks" })
    }

    /// Tells all pods to look, once something was saved.
    fn saved(
        &self,
        saved: Saved,
        what: &'static str,
        name: Option<Name>,
    ) -> Result<(), FleetError> {
        match saved {
            Saved::Done => {
                self.pod.broadcast.send(Nudge::WorkChanged);
                Ok(())
            }
            Saved::NameTaken => {
                let name = name.map(|name| name.to_string()).unwrap_or_default();
                Err(FleetError::NameTaken { what, name })
            }
            Saved::Gone => Err(FleetError::NotFound { what }),
            Saved::Dangling(dangling) => Err(FleetError::Invalid(vec![fault(&dangling)])),
        }
    }

    fn removed(&self, was_there: bool, what: &'static str) -> Result<(), FleetError> {
        let saved = if was_there { Saved::Done } else { Saved::Gone };
        self.saved(saved, what, None)
    }
}

fn fault(dangling: &Dangling) -> FieldError {
    let (pointer, detail) = match dangling {
        Dangling::Check => ("/checkId", "there is no such check".to_owned()),
        Dangling::System => ("/systemId", "there is no such system".to_owned()),
        Dangling::Satellite(id) => ("/satelliteIds", format!("there is no satellite {id}")),
    };
    FieldError { pointer: pointer.to_owned(), detail }
}

fn found<T>(found: Option<T>, what: &'static str) -> Result<T, FleetError> {
    found.ok_or(FleetError::NotFound { what })
}

#[async_trait]
impl WorkService for GroundControl {
    async fn create_system(&self, request: SystemRequest) -> Result<System, FleetError> {
        let SystemRequest { name, metadata, managed_by } = request;
        let (id, created_at) = (SystemId(self.pod.new_id()?), self.pod.now());
        let system = System { id, name: name.clone(), metadata, managed_by, created_at };
        let saved = self.work()?.store.create_system(system.clone()).await?;
        self.saved(saved, SYSTEM, Some(name))?;
        Ok(system)
    }

    async fn system(&self, id: SystemId) -> Result<System, FleetError> {
        found(self.work()?.store.system(id).await?, SYSTEM)
    }

    async fn systems(&self, after: Option<Name>, limit: usize) -> Result<Vec<System>, FleetError> {
        Ok(self.work()?.store.systems(after, limit).await?)
    }

    async fn update_system(
        &self,
        id: SystemId,
        update: SystemUpdate,
    ) -> Result<System, FleetError> {
        let name = update.name.clone();
        let saved = self.work()?.store.update_system(id, update).await?;
        self.saved(saved, SYSTEM, name)?;
        self.system(id).await
    }

    async fn remove_system(&self, id: SystemId) -> Result<(), FleetError> {
        self.removed(self.work()?.store.remove_system(id).await?, SYSTEM)
    }

    async fn create_check(&self, request: CheckRequest) -> Result<Check, FleetError> {
        let CheckRequest { name, strategy, config, collectors, interval, managed_by } = request;
        let (id, created_at) = (CheckId(self.pod.new_id()?), self.pod.now());
        let check = Check {
            id,
            name: name.clone(),
            strategy,
            config,
            collectors,
            interval,
            managed_by,
            created_at,
        };
        let saved = self.work()?.store.create_check(check.clone()).await?;
        self.saved(saved, CHECK, Some(name))?;
        Ok(check)
    }

    async fn check(&self, id: CheckId) -> Result<Check, FleetError> {
        found(self.work()?.store.check(id).await?, CHECK)
    }

    async fn checks(&self, after: Option<Name>, limit: usize) -> Result<Vec<Check>, FleetError> {
        Ok(self.work()?.store.checks(after, limit).await?)
    }

    async fn update_check(&self, id: CheckId, update: CheckUpdate) -> Result<Check, FleetError> {
        let name = update.name.clone();
        let saved = self.work()?.store.update_check(id, update).await?;
        self.saved(saved, CHECK, name)?;
        self.check(id).await
    }

    async fn remove_check(&self, id: CheckId) -> Result<(), FleetError> {
        self.removed(self.work()?.store.remove_check(id).await?, CHECK)
    }

    async fn create_assignment(
        &self,
        request: AssignmentRequest,
    ) -> Result<Assignment, FleetError> {
        let AssignmentRequest { check, system, target, managed_by } = request;
        let (id, created_at) = (AssignmentId(self.pod.new_id()?), self.pod.now());
        let assignment = Assignment { id, check, system, target, managed_by, created_at };
        let saved = self.work()?.store.create_assignment(assignment.clone()).await?;
        self.saved(saved, ASSIGNMENT, None)?;
        Ok(assignment)
    }

    async fn assignment(&self, id: AssignmentId) -> Result<Assignment, FleetError> {
        found(self.work()?.store.assignment(id).await?, ASSIGNMENT)
    }

    async fn assignments(&self, query: AssignmentQuery) -> Result<Vec<Assignment>, FleetError> {
        Ok(self.work()?.store.assignments(&query).await?)
    }

    async fn update_assignment(
        &self,
        id: AssignmentId,
        update: AssignmentUpdate,
    ) -> Result<Assignment, FleetError> {
        let saved = self.work()?.store.update_assignment(id, update).await?;
        self.saved(saved, ASSIGNMENT, None)?;
        self.assignment(id).await
    }

    async fn remove_assignment(&self, id: AssignmentId) -> Result<(), FleetError> {
        self.removed(self.work()?.store.remove_assignment(id).await?, ASSIGNMENT)
    }

    async fn runs(&self, query: RunQuery) -> Result<Vec<StoredRun>, FleetError> {
        Ok(self.run_store()?.runs(&query).await?)
    }

    async fn latest_runs(&self, query: LatestQuery) -> Result<Vec<StoredRun>, FleetError> {
        Ok(self.run_store()?.latest_runs(&query).await?)
    }

    async fn strategy_errors(
        &self,
        satellite: SatelliteId,
    ) -> Result<Vec<StrategyError>, FleetError> {
        self.pod.view(satellite).await?;
        Ok(self.run_store()?.strategy_errors(satellite).await?)
    }

    async fn sandbox_policy(&self) -> Result<Option<Json>, FleetError> {
        Ok(self.work()?.store.sandbox_policy().await?)
    }

    async fn set_sandbox_policy(&self, policy: Json) -> Result<(), FleetError> {
        self.work()?.store.set_sandbox_policy(Some(policy)).await?;
        self.pod.broadcast.send(Nudge::WorkChanged);
        Ok(())
    }
}
