//! The server behind the HTTP API, as what documents are applied to.

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use groundcontrol_core::assignment::{
    self as work, CheckId, Collectors, Interval, SystemId, Target,
};
use groundcontrol_core::desired::{Names, Present, Step};
use groundcontrol_core::ports::{
    AssignmentRequest, CheckRequest, SatellitePatch, SatelliteRequest, SystemRequest,
};
use groundcontrol_core::satellite::{self, OwnThreshold, ReportedAgent, SatelliteId, Tags};
use groundcontrol_core::time::Millis;
use groundcontrol_http::dto;

use super::request::Client;
use super::satellites::ListFilter;
use crate::gitops::Server;

#[async_trait]
impl Server for Client {
    async fn present(&self) -> anyhow::Result<Present> {
        let satellites = self.satellites(&ListFilter::default()).await?;
        let (systems, checks) = (self.all::<dto::System>().await?, self.all::<dto::Check>().await?);
        let assignments = self.all::<dto::Assignment>().await?;
        let understood = || -> anyhow::Result<Present> {
            Ok(Present {
                satellites: satellites.into_iter().map(satellite).collect::<Result<_, _>>()?,
                systems: systems.into_iter().map(system).collect::<Result<_, _>>()?,
                checks: checks.into_iter().map(check).collect::<Result<_, _>>()?,
                assignments: assignments.into_iter().map(assignment).collect::<Result<_, _>>()?,
            })
        };
        understood().context("what the server answered was not understood")
    }

    async fn perform(&self, step: &Step, names: &mut Names) -> anyhow::Result<()> {
        match step {
            Step::CreateSatellite(request) => {
                let made = self.create_satellite(&create_satellite(request)).await?.satellite;
                names.satellites.insert(request.name.clone(), SatelliteId(made.id));
            }
            Step::UpdateSatellite(id, patch) => {
                self.update_satellite(id.0, &update_satellite(patch)).await?;
            }
            Step::RemoveSatellite(id) => self.remove_satellite(id.0).await?,
            Step::CreateSystem(request) => {
                let made: dto::System = self.make(&create_system(request)).await?;
                names.systems.insert(request.name.clone(), SystemId(made.id));
            }
            Step::UpdateSystem(id, update) => {
                let metadata = update.metadata.as_ref().map(Into::into);
                let body = dto::UpdateSystem { metadata, name: None };
                self.change::<dto::System>(id.0, &body).await?;
            }
            Step::RemoveSystem(id) => self.drop_one::<dto::System>(id.0).await?,
            Step::CreateCheck(request) => {
                let made: dto::Check = self.make(&create_check(request)).await?;
                names.checks.insert(request.name.clone(), CheckId(made.id));
            }
            Step::UpdateCheck(id, update) => {
                let body = dto::UpdateCheck {
                    name: None,
                    strategy_id: update.strategy.as_ref().map(ToString::to_string),
                    config: update.config.as_ref().map(Into::into),
                    collectors: update.collectors.as_ref().map(collectors),
                    interval_seconds: update.interval.map(|interval| interval.seconds().into()),
                };
                self.change::<dto::Check>(id.0, &body).await?;
            }
            Step::RemoveCheck(id) => self.drop_one::<dto::Check>(id.0).await?,
            Step::CreateAssignment(spec) => {
                let request = names.request(spec).context("what it refers to is gone")?;
                self.make::<dto::Assignment>(&create_assignment(&request)).await?;
            }
            Step::UpdateAssignment(id, target) => {
                let target = names.target(target).context("a satellite that it names is gone")?;
                let (satellite_ids, selector) = targeted(&target);
                let body = dto::UpdateAssignment { satellite_ids, selector, ..Default::default() };
                self.change::<dto::Assignment>(id.0, &body).await?;
            }
            Step::RemoveAssignment(id) => self.drop_one::<dto::Assignment>(id.0).await?,
        }
        Ok(())
    }
}

fn satellite(one: dto::Satellite) -> anyhow::Result<satellite::Satellite> {
    let own = one.offline_threshold_ms.map(Millis::new);
    Ok(satellite::Satellite {
        id: SatelliteId(one.id),
        name: one.name.parse()?,
        region: one.region.parse()?,
        tags: Tags::new(one.tags).map_err(|(key, why)| anyhow!("the tag {key:?} {why}"))?,
        own_threshold: own.and_then(OwnThreshold::stored),
        enabled: one.enabled,
        agent: ReportedAgent { version: one.version, capabilities: one.capabilities },
        managed_by: one.managed_by.map(|manager| manager.0),
        created_at: one.created_at.0,
    })
}

fn system(one: dto::System) -> anyhow::Result<work::System> {
    Ok(work::System {
        id: SystemId(one.id),
        name: one.name.parse()?,
        metadata: (&one.metadata).into(),
        managed_by: one.managed_by.map(|manager| manager.0),
        created_at: one.created_at.0,
    })
}

fn check(one: dto::Check) -> anyhow::Result<work::Check> {
    let collectors = Collectors::new(one.collectors.iter().map(Into::into).collect());
    Ok(work::Check {
        id: CheckId(one.id),
        name: one.name.parse()?,
        strategy: one.strategy_id.parse()?,
        config: (&one.config).into(),
        collectors: collectors.map_err(|fault| anyhow!("{} {}", fault.pointer, fault.detail))?,
        interval: Interval::new(one.interval_seconds.into())?,
        managed_by: one.managed_by.map(|manager| manager.0),
        created_at: one.created_at.0,
    })
}

fn assignment(one: dto::Assignment) -> anyhow::Result<work::Assignment> {
    let target = match (one.satellite_ids, one.selector) {
        (Some(ids), _) => Target::Satellites(ids.into_iter().map(SatelliteId).collect()),
        (None, Some(dto::Selector { region, tags })) => Target::Selected(work::Selector {
            region: region.map(|region| region.parse()).transpose()?,
            tags: tags.unwrap_or_default().parse()?,
        }),
        (None, None) => return Err(anyhow!("assignment {} is for nobody", one.id)),
    };
    Ok(work::Assignment {
        id: work::AssignmentId(one.id),
        check: CheckId(one.check_id),
        system: SystemId(one.system_id),
        target,
        managed_by: one.managed_by.map(|manager| manager.0),
        created_at: one.created_at.0,
    })
}

fn create_satellite(request: &SatelliteRequest) -> dto::CreateSatellite {
    dto::CreateSatellite {
        name: request.name.to_string(),
        region: request.region.to_string(),
        tags: request.tags.as_map().clone(),
        offline_threshold_ms: request.offline_threshold.map(Millis::get),
        managed_by: request.managed_by.map(Into::into),
    }
}

fn update_satellite(patch: &SatellitePatch) -> dto::UpdateSatellite {
    dto::UpdateSatellite {
        name: None,
        region: patch.update.region.as_ref().map(ToString::to_string),
        tags: patch.update.tags.as_ref().map(|tags| tags.as_map().clone()),
        offline_threshold_ms: patch.offline_threshold.map(|own| own.map(Millis::get)),
        enabled: None,
    }
}

fn create_system(request: &SystemRequest) -> dto::CreateSystem {
    dto::CreateSystem {
        name: request.name.to_string(),
        metadata: Some((&request.metadata).into()),
        managed_by: request.managed_by.map(Into::into),
    }
}

fn create_check(request: &CheckRequest) -> dto::CreateCheck {
    dto::CreateCheck {
        name: request.name.to_string(),
        strategy_id: request.strategy.to_string(),
        config: Some((&request.config).into()),
        collectors: collectors(&request.collectors),
        interval_seconds: request.interval.seconds().into(),
        managed_by: request.managed_by.map(Into::into),
    }
}

fn create_assignment(request: &AssignmentRequest) -> dto::CreateAssignment {
    let (satellite_ids, selector) = targeted(&request.target);
    dto::CreateAssignment {
        check_id: request.check.0,
        system_id: request.system.0,
        satellite_ids,
        selector,
        managed_by: request.managed_by.map(Into::into),
    }
}

fn targeted(target: &Target) -> (Option<Vec<uuid::Uuid>>, Option<dto::Selector>) {
    match target {
        Target::Satellites(ids) => (Some(ids.iter().map(|id| id.0).collect()), None),
        Target::Selected(selector) => (None, Some(selector.into())),
    }
}

fn collectors(collectors: &Collectors) -> Vec<dto::Collector> {
    collectors.as_slice().iter().map(Into::into).collect()
}
