//! What the store holds, and the satellites in it.

use std::collections::{BTreeMap, BTreeSet};

use groundcontrol_core::connection::ConnectionRecord;
use groundcontrol_core::limits::OFFLINE_THRESHOLD;
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, NewSatellite, SatelliteUpdate, StoredSatellite,
    UpdateOutcome,
};
use groundcontrol_core::satellite::{
    CredentialVersion, HashedToken, Liveness, Name, OwnThreshold, ReportedAgent, Satellite,
    SatelliteId,
};
use groundcontrol_core::time::Millis;

use super::api_token::ApiTokens;
use super::blobs::Blobs;
use super::history::History;
use super::packages::Packages;
use super::rules::Rules;
use super::runs::Runs;
use super::secrets::SecretRows;
use super::sinks::Sinks;
use super::watch::Watch;
use super::webhooks::Webhooks;
use super::work::Work;

/// Everything that is stored.
#[derive(Default)]
pub(super) struct State {
    pub(super) liveness: Option<Liveness>,
    pub(super) satellites: BTreeMap<SatelliteId, Row>,
    /// Whose each name is: what makes names unique, and the order of lists.
    pub(super) names: BTreeMap<Name, SatelliteId>,
    pub(super) watch: Watch,
    pub(super) history: History,
    pub(super) api_tokens: ApiTokens,
    pub(super) work: Work,
    pub(super) runs: Runs,
    pub(super) packages: Packages,
    pub(super) blobs: Blobs,
    pub(super) secrets: SecretRows,
    pub(super) webhooks: Webhooks,
    pub(super) rules: Rules,
    pub(super) sinks: Sinks,
}

/// One satellite.
pub(super) struct Row {
    pub(super) satellite: Satellite,
    pub(super) record: ConnectionRecord,
    pub(super) credential_version: CredentialVersion,
    pub(super) tokens: Vec<HashedToken>,
}

impl State {
    /// The threshold of satellites without one of their own.
    pub(super) fn default_threshold(&self) -> Millis {
        self.liveness.map_or(OFFLINE_THRESHOLD, |liveness| liveness.default_threshold)
    }

    /// Rule S2.
    pub(super) fn threshold(&self, row: &Row) -> Millis {
        row.satellite.own_threshold.map_or(self.default_threshold(), OwnThreshold::get)
    }

    pub(super) fn stored(&self, row: &Row) -> StoredSatellite {
        StoredSatellite {
            satellite: row.satellite.clone(),
            record: row.record.clone(),
            threshold: self.threshold(row),
        }
    }

    pub(super) fn snapshot_of(&self, row: &Row) -> ConnectionSnapshot {
        ConnectionSnapshot {
            satellite: row.satellite.id,
            name: row.satellite.name.clone(),
            region: row.satellite.region.clone(),
            record: row.record.clone(),
            own_threshold: row.satellite.own_threshold,
            default_threshold: self.default_threshold(),
            credential_version: row.credential_version,
            watch: self.watch.span(),
        }
    }

    pub(super) fn create(&mut self, new: NewSatellite) -> CreateOutcome {
        let satellite = new.satellite;
        if self.satellites.contains_key(&satellite.id) {
            return CreateOutcome::Created;
        }
        if self.names.contains_key(&satellite.name) {
            return CreateOutcome::NameTaken;
        }
        self.names.insert(satellite.name.clone(), satellite.id);
        let row = Row {
            record: ConnectionRecord::default(),
            credential_version: CredentialVersion::default(),
            tokens: vec![new.token],
            satellite,
        };
        self.satellites.insert(row.satellite.id, row);
        CreateOutcome::Created
    }

    pub(super) fn get(&self, id: SatelliteId) -> Option<StoredSatellite> {
        self.satellites.get(&id).map(|row| self.stored(row))
    }

    pub(super) fn get_many(&self, ids: &[SatelliteId]) -> Vec<StoredSatellite> {
        let distinct: BTreeSet<_> = ids.iter().copied().collect();
        distinct.into_iter().filter_map(|id| self.get(id)).collect()
    }

    pub(super) fn update(&mut self, id: SatelliteId, update: SatelliteUpdate) -> UpdateOutcome {
        let Some(row) = self.satellites.get_mut(&id) else { return UpdateOutcome::Gone };
        let satellite = &mut row.satellite;
        if let Some(name) = update.name {
            if self.names.get(&name).is_some_and(|owner| *owner != id) {
                return UpdateOutcome::NameTaken;
            }
            self.names.remove(&satellite.name);
            self.names.insert(name.clone(), id);
            satellite.name = name;
        }
        if let Some(region) = update.region {
            satellite.region = region;
        }
        if let Some(tags) = update.tags {
            satellite.tags = tags;
        }
        if let Some(own_threshold) = update.own_threshold {
            satellite.own_threshold = own_threshold;
        }
        UpdateOutcome::Updated
    }

    pub(super) fn record_agent(&mut self, id: SatelliteId, agent: ReportedAgent) {
        if let Some(row) = self.satellites.get_mut(&id) {
            row.satellite.agent = agent;
        }
    }
}
