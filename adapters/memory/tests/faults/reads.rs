//! What each fault does to a creation and to everything that is read.

use std::collections::BTreeMap;

use groundcontrol_core::connection::{
    ConnectionRecord, LifecycleEvent, Status, Transition, TransitionKind, online_cutoff,
};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, Credentials, EventCursor, ListQuery, NewSatellite,
    RecordedEvent, SatelliteStore, SatelliteUpdate, StoreResult, StoredSatellite,
};
use groundcontrol_core::satellite::{SatelliteId, Seq, Tags};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::fault::Fault;
use crate::faulty::Faulty;

impl Faulty {
    pub(crate) async fn bent_create(&self, mut new: NewSatellite) -> StoreResult<CreateOutcome> {
        let id = new.satellite.id;
        let again = self.inner.get(id).await?.is_some();
        match self.fault {
            Fault::DropsTags => new.satellite.tags = Tags::default(),
            Fault::NamesIgnoreCase if self.is_like_another(&new.satellite).await? => {
                return Ok(CreateOutcome::NameTaken);
            }
            Fault::CreateTwiceIsRefused if again => return Ok(CreateOutcome::NameTaken),
            Fault::CreateTwiceResets if again => {
                let region = Some(new.satellite.region.clone());
                let reset = SatelliteUpdate { region, ..SatelliteUpdate::default() };
                self.inner.update(id, reset).await?;
            }
            _ => {}
        }
        self.told.lock().created.insert(id, new.clone());
        self.inner.create(new).await
    }

    pub(crate) fn bent_stored(&self, mut stored: StoredSatellite) -> StoredSatellite {
        self.bend_heartbeat(stored.satellite.id, &mut stored.record);
        stored
    }

    pub(crate) fn bent_snapshot(&self, mut read: ConnectionSnapshot) -> ConnectionSnapshot {
        self.bend_heartbeat(read.satellite, &mut read.record);
        read
    }

    pub(crate) fn bent_tokens(&self, mut read: Credentials) -> Credentials {
        let overlap = self.told.lock().overlaps.get(&read.snapshot.satellite).copied();
        if let (Fault::OverlapLengthens, Some(until)) = (self.fault, overlap) {
            let ending = read.tokens.iter_mut().filter(|token| token.expires_at.is_some());
            ending.for_each(|token| token.expires_at = Some(until));
        }
        read
    }

    fn bend_heartbeat(&self, id: SatelliteId, record: &mut ConnectionRecord) {
        let connected = record.last_event == Some(LifecycleEvent::Connected);
        if self.fault != Fault::BeatsBackInTime || !connected {
            return;
        }
        if let Some((epoch, heard)) = self.told.lock().last_beats.get(&id)
            && *epoch == record.epoch
        {
            record.last_heartbeat_at = Some(*heard);
        }
    }

    pub(crate) async fn bent_list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        let mut query = query.clone();
        match self.fault {
            Fault::TextIsPattern => {
                query.text = query.text.map(|text| text.replace('%', ""));
                self.inner.list(&query).await
            }
            Fault::RegionIsPrefix
            | Fault::AnyTagWillDo
            | Fault::TextMindsCase
            | Fault::TextInNamesOnly
            | Fault::PagesOverlap
            | Fault::CutsBeforeFiltering
            | Fault::HidesNeverConnected => self.badly_filtered(query).await,
            Fault::StatusFromHeartbeatAlone | Fault::StatusByDefaultThreshold => {
                let Some(wanted) = query.status.take() else {
                    return self.inner.list(&query).await;
                };
                let limit = std::mem::replace(&mut query.limit, usize::MAX);
                let mut listed = self.inner.list(&query).await?;
                let default = self.default_threshold().await?;
                listed.retain(|stored| self.bent_status(stored, default, query.now) == wanted);
                listed.truncate(limit);
                Ok(listed)
            }
            _ => {
                let mut listed: Vec<_> = self
                    .inner
                    .list(&query)
                    .await?
                    .into_iter()
                    .map(|s| self.bent_stored(s))
                    .collect();
                if self.fault == Fault::ListIgnoresCase {
                    listed.sort_by_key(|stored| stored.satellite.name.as_str().to_lowercase());
                }
                Ok(listed)
            }
        }
    }

    fn bent_status(&self, stored: &StoredSatellite, default: Millis, now: Timestamp) -> Status {
        let heard = stored.record.last_heartbeat_at;
        match self.fault {
            Fault::StatusFromHeartbeatAlone
                if heard.is_some_and(|heard| heard >= online_cutoff(stored.threshold, now)) =>
            {
                Status::Online
            }
            Fault::StatusFromHeartbeatAlone => Status::Offline,
            _ => StoredSatellite { threshold: default, ..stored.clone() }.status(now),
        }
    }

    pub(crate) async fn default_threshold(&self) -> StoreResult<Millis> {
        Ok(self.inner.liveness().await?.map_or(Millis::ZERO, |liveness| liveness.default_threshold))
    }

    pub(crate) async fn bent_online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        match self.fault {
            Fault::OnlineBelowThreshold => self.inner.online_ids(now + Millis::new(1)).await,
            _ => self.inner.online_ids(now).await,
        }
    }

    pub(crate) async fn bent_overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        let long_ago = Timestamp::from_millis(0);
        match self.fault {
            Fault::OverdueEarly => {
                self.inner.overdue(now + Millis::new(1), settle, watching_since, limit).await
            }
            Fault::OverdueIgnoresWatching => self.inner.overdue(now, settle, long_ago, limit).await,
            Fault::OverdueById => {
                let all = self.inner.overdue(now, settle, watching_since, usize::MAX).await?;
                let by_id: BTreeMap<_, _> = all.into_iter().map(|r| (r.satellite, r)).collect();
                Ok(by_id.into_values().take(limit).collect())
            }
            _ => self.inner.overdue(now, settle, watching_since, limit).await,
        }
    }

    pub(crate) async fn bent_next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        if self.fault != Fault::NextThresholdByDefault {
            return self.inner.next_threshold().await;
        }
        let default = self.default_threshold().await?;
        let query = ListQuery { limit: usize::MAX, ..ListQuery::default() };
        let listed = self.inner.list(&query).await?;
        let connected = listed
            .iter()
            .filter(|stored| stored.record.last_event == Some(LifecycleEvent::Connected));
        let passes = connected.filter_map(|stored| stored.record.last_heartbeat_at);
        Ok(passes.min().map(|heard| heard + default))
    }

    pub(crate) async fn bent_transitions(
        &self,
        mut transitions: Vec<Transition>,
    ) -> StoreResult<Vec<Transition>> {
        if self.fault == Fault::LosesTransition {
            transitions.retain(|transition| transition.seq != Seq(2));
        }
        let silent = self.told.lock().silently_removed.clone();
        transitions.retain(|transition| {
            let removed = transition.kind == Some(TransitionKind::Removed);
            !(removed && silent.contains(&transition.satellite))
        });
        for transition in &mut transitions {
            let stored = self.inner.get(transition.satellite).await?;
            if let (Fault::RenamesHistory, Some(stored), Some(next)) =
                (self.fault, stored, &mut transition.next)
            {
                next.name = stored.satellite.name;
            }
        }
        Ok(transitions)
    }

    pub(crate) async fn bent_events(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        let recorded = self.inner.events_after(None, usize::MAX).await?;
        let cursors: Vec<_> = recorded.iter().map(|event| event.cursor).collect();
        let transitions =
            recorded.into_iter().filter_map(|event| event.recorded.into_transition()).collect();
        let mut transitions = self.bent_transitions(transitions).await?;
        if self.fault == Fault::EventsBySatellite {
            transitions.sort_by_key(|transition| (transition.satellite, transition.seq));
        }
        let counted = (1..).map(|position| EventCursor { commit: 0, position });
        let cursors: Vec<_> = match self.fault {
            Fault::CursorsAreCounted => counted.take(cursors.len()).collect(),
            _ => cursors,
        };
        let events = cursors.into_iter().zip(transitions);
        let events = events.map(|(cursor, transition)| RecordedEvent::of(cursor, transition));
        let mut told = self.told.lock();
        let mut is_late = |event: &RecordedEvent| {
            let looks = told.looks_at_events.entry(event.cursor).or_default();
            *looks += 1;
            event.cursor.position.is_multiple_of(2) && *looks < 3
        };
        let late = self.fault == Fault::EventsAppearLate;
        let wanted = |event: &RecordedEvent| after.is_none_or(|after| event.cursor > after);
        Ok(events.filter(|event| !(late && is_late(event))).filter(wanted).take(limit).collect())
    }
}
