//! What each fault does to descriptions: how they are changed, and what queries select.

use groundcontrol_core::ports::{
    ListQuery, SatelliteStore, SatelliteUpdate, StoreResult, StoredSatellite, UpdateOutcome,
};
use groundcontrol_core::satellite::{Epoch, Satellite, SatelliteId, Tags};

use crate::fault::Fault;
use crate::faulty::Faulty;

impl Faulty {
    async fn everybody(&self) -> StoreResult<Vec<StoredSatellite>> {
        self.inner.list(&ListQuery { limit: usize::MAX, ..ListQuery::default() }).await
    }

    /// Whether another satellite has the same name but for case.
    pub(crate) async fn is_like_another(&self, new: &Satellite) -> StoreResult<bool> {
        let lower = |satellite: &Satellite| satellite.name.as_str().to_lowercase();
        let all = self.everybody().await?;
        let others = all.iter().map(|stored| &stored.satellite).filter(|other| other.id != new.id);
        Ok(others.map(lower).any(|name| name == lower(new)))
    }

    pub(crate) async fn bent_update(
        &self,
        id: SatelliteId,
        mut update: SatelliteUpdate,
    ) -> StoreResult<UpdateOutcome> {
        let stored = self.inner.get(id).await?.map(|stored| stored.satellite);
        let has_name = stored.as_ref().is_some_and(|old| update.name.as_ref() == Some(&old.name));
        match self.fault {
            Fault::OwnNameIsTaken if has_name => return Ok(UpdateOutcome::NameTaken),
            Fault::NamesStayTaken if self.was_taken(&update) => {
                return Ok(UpdateOutcome::NameTaken);
            }
            Fault::UpdateClearsTags => update.tags = update.tags.or(Some(Tags::default())),
            _ => {}
        }
        let outcome = self.inner.update(id, update.clone()).await?;
        if self.fault == Fault::UpdatesHalfway && outcome == UpdateOutcome::NameTaken {
            self.inner.update(id, SatelliteUpdate { name: None, ..update }).await?;
        }
        Ok(outcome)
    }

    fn was_taken(&self, update: &SatelliteUpdate) -> bool {
        let told = self.told.lock();
        told.created.values().any(|new| update.name.as_ref() == Some(&new.satellite.name))
    }

    pub(crate) async fn bent_get_many(
        &self,
        ids: &[SatelliteId],
    ) -> StoreResult<Vec<StoredSatellite>> {
        match self.fault {
            Fault::CutsLongBatches => self.inner.get_many(&ids[..ids.len().min(10_000)]).await,
            Fault::AnswersTwice => {
                let mut found = Vec::new();
                for id in ids {
                    found.extend(self.inner.get(*id).await?);
                }
                Ok(found)
            }
            _ => self.inner.get_many(ids).await,
        }
    }

    /// What matches `query`, looked for in everybody: one part of the query at a time is
    /// misunderstood.
    pub(crate) async fn badly_filtered(
        &self,
        mut query: ListQuery,
    ) -> StoreResult<Vec<StoredSatellite>> {
        let asked = query.clone();
        query.limit = usize::MAX;
        match self.fault {
            Fault::RegionIsPrefix => query.region = None,
            Fault::AnyTagWillDo => query.tags.clear(),
            Fault::TextMindsCase | Fault::TextInNamesOnly => query.text = None,
            Fault::PagesOverlap => query.after = None,
            _ => {}
        }
        let mut all = self.inner.list(&query).await?;
        if self.fault == Fault::CutsBeforeFiltering {
            let (after, limit) = (asked.after.clone(), asked.limit);
            let page = ListQuery { after, limit, ..ListQuery::default() };
            let page = self.inner.list(&page).await?;
            all.retain(|stored| page.contains(stored));
        }
        let is_meant = |stored: &StoredSatellite| understood(self.fault, stored, &asked);
        Ok(all.into_iter().filter(is_meant).take(asked.limit).collect())
    }
}

/// The part of the query that the fault is about, as it is misunderstood.
fn understood(fault: Fault, stored: &StoredSatellite, asked: &ListQuery) -> bool {
    let satellite = &stored.satellite;
    let tags = satellite.tags.as_map();
    let text = asked.text.as_deref().unwrap_or_default();
    let region = asked.region.as_deref().unwrap_or_default();
    let (name, own_region) = (satellite.name.as_str(), satellite.region.as_str());
    match fault {
        Fault::RegionIsPrefix => own_region.starts_with(region),
        Fault::AnyTagWillDo => {
            let has = |(key, value): &(String, String)| tags.get(key) == Some(value);
            asked.tags.is_empty() || asked.tags.iter().any(has)
        }
        Fault::TextMindsCase => {
            let id = satellite.id.to_string();
            name.contains(text) || own_region.contains(text) || id.starts_with(&text.to_lowercase())
        }
        Fault::TextInNamesOnly => name.to_lowercase().contains(&text.to_lowercase()),
        Fault::HidesNeverConnected => stored.record.epoch > Epoch(0),
        Fault::PagesOverlap => asked.after.as_ref().is_none_or(|after| satellite.name >= *after),
        _ => true,
    }
}
