//! This pod as the server that documents are applied to.

use anyhow::Context as _;
use async_trait::async_trait;
use groundcontrol_core::connection::Actor;
use groundcontrol_core::desired::{Manager, Names, Present, Step};
use groundcontrol_core::limits::MAX_PAGE;
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentUpdate, FleetService as _, ListQuery, WorkService as _,
};

use super::server::Server;
use crate::pod::GroundControl;

/// As it is put on record.
fn actor() -> Actor {
    Actor(Manager::GitOps.name().to_owned())
}

#[async_trait]
impl Server for GroundControl {
    async fn present(&self) -> anyhow::Result<Present> {
        let mut present = Present::default();
        loop {
            let after = present.satellites.last().map(|one| one.name.clone());
            let query = ListQuery { after, limit: MAX_PAGE, ..ListQuery::default() };
            let page = self.list(query).await.context("could not read the satellites")?;
            let is_last = page.len() < MAX_PAGE;
            present.satellites.extend(page.into_iter().map(|view| view.stored.satellite));
            if is_last {
                break;
            }
        }
        loop {
            let after = present.systems.last().map(|one| one.name.clone());
            let page = self.systems(after, MAX_PAGE).await.context("could not read the systems")?;
            let is_last = page.len() < MAX_PAGE;
            present.systems.extend(page);
            if is_last {
                break;
            }
        }
        loop {
            let after = present.checks.last().map(|one| one.name.clone());
            let page = self.checks(after, MAX_PAGE).await.context("could not read the checks")?;
            let is_last = page.len() < MAX_PAGE;
            present.checks.extend(page);
            if is_last {
                break;
            }
        }
        loop {
            let after = present.assignments.last().map(|one| one.id);
            let query = AssignmentQuery { after, limit: MAX_PAGE, ..AssignmentQuery::default() };
            let page = self.assignments(query).await.context("could not read the assignments")?;
            let is_last = page.len() < MAX_PAGE;
            present.assignments.extend(page);
            if is_last {
                return Ok(present);
            }
        }
    }

    async fn perform(&self, step: &Step, names: &mut Names) -> anyhow::Result<()> {
        match step.clone() {
            Step::CreateSatellite(request) => {
                let made = self.create(request).await?.view.stored.satellite;
                names.satellites.insert(made.name, made.id);
            }
            Step::UpdateSatellite(id, patch) => drop(self.update(id, patch, actor()).await?),
            Step::RemoveSatellite(id) => self.remove(id, actor()).await?,
            Step::CreateSystem(request) => {
                let made = self.create_system(request).await?;
                names.systems.insert(made.name, made.id);
            }
            Step::UpdateSystem(id, update) => drop(self.update_system(id, update).await?),
            Step::RemoveSystem(id) => self.remove_system(id).await?,
            Step::CreateCheck(request) => {
                let made = self.create_check(request).await?;
                names.checks.insert(made.name, made.id);
            }
            Step::UpdateCheck(id, update) => drop(self.update_check(id, update).await?),
            Step::RemoveCheck(id) => self.remove_check(id).await?,
            Step::CreateAssignment(spec) => {
                let request = names.request(&spec).context("what it refers to is gone")?;
                self.create_assignment(request).await?;
            }
            Step::UpdateAssignment(id, target) => {
                let target = names.target(&target).context("a satellite that it names is gone")?;
                let update = AssignmentUpdate { target: Some(target), ..Default::default() };
                self.update_assignment(id, update).await?;
            }
            Step::RemoveAssignment(id) => self.remove_assignment(id).await?,
        }
        Ok(())
    }
}
