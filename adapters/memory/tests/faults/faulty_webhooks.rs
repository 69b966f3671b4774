//! The port of webhooks, right but for one fault.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::automation::{DeliveryState, Health, Webhook, WebhookId};
use groundcontrol_core::connection::{ContextId, Recorded};
use groundcontrol_core::ports::{
    AttemptRecord, Backlog, Delivery, DeliveryQuery, Due, DueDelivery, EventCursor, NewDelivery,
    Redelivery, SatelliteStore as _, StoreResult, WebhookClaim, WebhookSaved, WebhookStore,
    WebhookUpdate,
};
use groundcontrol_core::satellite::{Name, PodName, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::faulty::Faulty;
use crate::webhook_fault::WebhookFault as Fault;

/// What a faulty store remembers of webhooks beside the right one.
#[derive(Default)]
pub(crate) struct WebhooksTold {
    /// Of each webhook the claim that was given out last,
    claims: BTreeMap<WebhookId, WebhookClaim>,
    /// … and those that were not given back.
    held: BTreeSet<WebhookId>,
    /// Every delivery there ever was, as it was seen last.
    ever: BTreeMap<u64, Delivery>,
    doubles: Vec<Delivery>,
    deleted: BTreeSet<u64>,
    again: BTreeSet<u64>,
    cursors: BTreeMap<WebhookId, EventCursor>,
    attempted_at: Option<Timestamp>,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.webhook_fault == fault
    }

    /// The claim that counts, whichever is shown.
    fn newest(&self, claim: WebhookClaim) -> WebhookClaim {
        self.webhooks.lock().claims.get(&claim.webhook).copied().unwrap_or(claim)
    }

    /// The claim that is taken for the one that is shown, where `fault` takes any.
    fn taken_for(&self, claim: WebhookClaim, fault: Fault) -> WebhookClaim {
        let any = self.has(fault) || self.has(Fault::ClaimsAreTheSame);
        if any { self.newest(claim) } else { claim }
    }

    async fn all_webhooks(&self) -> StoreResult<Vec<Webhook>> {
        self.inner.webhooks(None, usize::MAX).await
    }

    /// All deliveries of a webhook, oldest first.
    async fn all_of(&self, id: WebhookId) -> StoreResult<Vec<Delivery>> {
        let all = DeliveryQuery { webhook: id, state: None, after: None, limit: usize::MAX };
        let mut found = self.inner.deliveries(&all).await?;
        found.reverse();
        Ok(found)
    }

    async fn all_deliveries(&self) -> StoreResult<Vec<Delivery>> {
        let mut all = Vec::new();
        for webhook in self.all_webhooks().await? {
            all.extend(self.all_of(webhook.id).await?);
        }
        all.sort_by_key(|delivery| delivery.number);
        Ok(all)
    }

    async fn waiting(&self, id: WebhookId) -> StoreResult<Vec<Delivery>> {
        let mut all = self.all_of(id).await?;
        all.retain(|delivery| delivery.state == DeliveryState::Waiting);
        Ok(all)
    }

    async fn with_events(&self, deliveries: Vec<Delivery>) -> StoreResult<Vec<DueDelivery>> {
        let mut due = Vec::new();
        for Delivery { context, seq, number, attempts, .. } in deliveries {
            let satellite = SatelliteId(context.0);
            let found = self.inner.transitions(satellite, Some(seq.next()), 1).await?;
            let event = found.into_iter().next().map(Recorded::Transition).map(Due::Event);
            due.extend(event.map(|due| DueDelivery { number, attempts, due }));
        }
        Ok(due)
    }

    /// What waits and whose time has come, in the order of numbers.
    async fn whose_time_has_come(
        &self,
        id: WebhookId,
        now: Timestamp,
    ) -> StoreResult<Vec<Delivery>> {
        let mut due = self.waiting(id).await?;
        due.retain(|delivery| delivery.next_at.is_some_and(|next| next <= now));
        Ok(due)
    }

    /// Contexts with a delivery to another webhook that waits for its time.
    async fn held_up_elsewhere(
        &self,
        id: WebhookId,
        now: Timestamp,
    ) -> StoreResult<BTreeSet<ContextId>> {
        let mut all = self.all_deliveries().await?;
        all.retain(|delivery| delivery.webhook != id && delivery.next_at > Some(now));
        Ok(all.into_iter().map(|delivery| delivery.context).collect())
    }

    /// Hides deliveries; answers how many.
    async fn hide(&self, is_old: impl Fn(&Delivery) -> bool) -> StoreResult<u64> {
        let all = self.all_deliveries().await?;
        let deleted = &mut self.webhooks.lock().deleted;
        let old = all.iter().filter(|delivery| is_old(delivery));
        Ok(old.filter(|delivery| deleted.insert(delivery.number)).count() as u64)
    }

    /// A delivery as it is listed.
    fn bent_delivery(&self, mut delivery: Delivery) -> Delivery {
        let attempted_at = self.webhooks.lock().attempted_at;
        let is_new = delivery.state == DeliveryState::Waiting && delivery.attempts == 0;
        let after = attempted_at.is_some_and(|attempted| delivery.created_at > attempted);
        let early = match self.webhook_fault {
            Fault::LaterDoNotWait => !after,
            Fault::NewDoNotWait => after,
            _ => false,
        };
        if is_new && early {
            delivery.next_at = Some(delivery.created_at);
        }
        delivery
    }
}

#[async_trait]
impl WebhookStore for Faulty {
    async fn create_webhook(&self, mut new: Webhook) -> StoreResult<WebhookSaved> {
        if self.has(Fault::DropsExpiry) {
            new.secrets.iter_mut().for_each(|kept| kept.expires_at = None);
        }
        match (self.inner.create_webhook(new).await?, self.webhook_fault) {
            (WebhookSaved::NameTaken, Fault::NamesMayBeShared)
            | (WebhookSaved::TooMany, Fault::TakesAnyNumber) => Ok(WebhookSaved::Done),
            (saved, _) => Ok(saved),
        }
    }

    async fn webhook(&self, id: WebhookId) -> StoreResult<Option<Webhook>> {
        self.inner.webhook(id).await
    }

    async fn webhooks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Webhook>> {
        if self.has(Fault::ListsById) {
            let mut all = self.inner.webhooks(after, usize::MAX).await?;
            all.sort_by_key(|webhook| webhook.id);
            all.truncate(limit);
            return Ok(all);
        }
        self.inner.webhooks(after, limit).await
    }

    async fn update_webhook(
        &self,
        id: WebhookId,
        mut update: WebhookUpdate,
    ) -> StoreResult<WebhookSaved> {
        match self.webhook_fault {
            Fault::UpdateClearsHeaders => update.headers = Some(update.headers.unwrap_or_default()),
            Fault::UpdateClearsSecrets => update.secrets = Some(update.secrets.unwrap_or_default()),
            _ => {}
        }
        match (self.inner.update_webhook(id, update).await?, self.webhook_fault) {
            (WebhookSaved::Gone, Fault::ChangesNothingQuietly) => Ok(WebhookSaved::Done),
            (saved, _) => Ok(saved),
        }
    }

    async fn remove_webhook(&self, id: WebhookId) -> StoreResult<bool> {
        Ok(self.inner.remove_webhook(id).await? || self.has(Fault::RemovesNothing))
    }

    async fn idle_webhooks(&self, now: Timestamp) -> StoreResult<Vec<WebhookId>> {
        let right: BTreeSet<_> = self.inner.idle_webhooks(now).await?.into_iter().collect();
        let newest = self.inner.newest_event().await?;
        let mut idle = Vec::new();
        for Webhook { id, health, .. } in self.all_webhooks().await? {
            let has_due = !self.inner.due_deliveries(id, now, 1).await?.is_empty();
            let backlog = self.inner.webhook_backlog(id).await?;
            let has_event = backlog.is_some_and(|backlog| backlog.cursor < newest);
            let is_held = self.webhooks.lock().held.contains(&id);
            let is_free = !is_held && health.paused.is_none();
            let is_idle = match self.webhook_fault {
                Fault::IdleForgetsEvents => right.contains(&id) && has_due,
                Fault::IdleForgetsDeliveries => right.contains(&id) && has_event,
                Fault::IdleIgnoresClaims => right.contains(&id) || is_held,
                Fault::IdleIgnoresPauses => right.contains(&id) || health.paused.is_some(),
                Fault::CursorStays => right.contains(&id) || is_free && newest.is_some(),
                _ => right.contains(&id),
            };
            idle.extend(is_idle.then_some(id));
        }
        Ok(idle)
    }

    async fn claim_webhook(
        &self,
        id: WebhookId,
        pod: &PodName,
        now: Timestamp,
        mut lease: Millis,
    ) -> StoreResult<Option<WebhookClaim>> {
        let last = self.webhooks.lock().claims.get(&id).copied();
        let webhook = self.inner.webhook(id).await?;
        let paused = webhook.map(|webhook| webhook.health).filter(|health| health.paused.is_some());
        let health = |health| WebhookUpdate { health: Some(health), ..WebhookUpdate::default() };
        match (self.webhook_fault, last, paused) {
            (Fault::ClaimsHeld, Some(last), _) => self.inner.release_claim(last).await?,
            (Fault::ClaimsPaused, _, Some(_)) => {
                self.inner.update_webhook(id, health(Health::default())).await?;
            }
            (Fault::LeasesForEver, ..) => lease = Millis::from_secs(1_000_000),
            _ => {}
        }
        let claim = self.inner.claim_webhook(id, pod, now, lease).await?;
        if let (Fault::ClaimsPaused, Some(paused)) = (self.webhook_fault, paused) {
            self.inner.update_webhook(id, health(paused)).await?;
        }
        let Some(claim) = claim else { return Ok(None) };
        let told = &mut self.webhooks.lock();
        told.claims.insert(id, claim);
        told.held.insert(id);
        let token = if self.has(Fault::ClaimsAreTheSame) { 1 } else { claim.token };
        Ok(Some(WebhookClaim { token, ..claim }))
    }

    async fn renew_claim(
        &self,
        claim: WebhookClaim,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool> {
        let counts = self.newest(claim) == claim;
        let claim = self.taken_for(claim, Fault::ClaimsAreTheSame);
        match self.webhook_fault {
            Fault::RenewalsDoNothing => Ok(counts),
            Fault::RenewsLost => {
                self.inner.renew_claim(claim, now, lease).await?;
                Ok(true)
            }
            _ => self.inner.renew_claim(claim, now, lease).await,
        }
    }

    async fn release_claim(&self, claim: WebhookClaim) -> StoreResult<()> {
        let claim = self.taken_for(claim, Fault::ReleasesOthers);
        if self.newest(claim) == claim {
            self.webhooks.lock().held.remove(&claim.webhook);
        }
        self.inner.release_claim(claim).await
    }

    async fn webhook_backlog(&self, id: WebhookId) -> StoreResult<Option<Backlog>> {
        let Some(mut backlog) = self.inner.webhook_backlog(id).await? else {
            let empty = Backlog { cursor: None, waiting: 0 };
            return Ok(self.has(Fault::BacklogOfNothing).then_some(empty));
        };
        match self.webhook_fault {
            Fault::BeginsWithThePast | Fault::CursorStays => backlog.cursor = None,
            Fault::BacklogCountsAll => backlog.waiting = self.all_of(id).await?.len() as u64,
            Fault::BacklogCountsOthers => {
                let mut all = self.all_deliveries().await?;
                all.retain(|delivery| delivery.state == DeliveryState::Waiting);
                backlog.waiting = all.len() as u64;
            }
            _ => {}
        }
        Ok(Some(backlog))
    }

    async fn enqueue_deliveries(
        &self,
        claim: WebhookClaim,
        reached: EventCursor,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> StoreResult<bool> {
        let claim = self.taken_for(claim, Fault::EnqueuesUnfenced);
        let counts = self.newest(claim) == claim;
        let known = self.all_of(claim.webhook).await?;
        let moved = self.inner.enqueue_deliveries(claim, reached, new, now).await?;
        let all = self.all_of(claim.webhook).await?;
        let told = &mut self.webhooks.lock();
        told.ever.extend(all.into_iter().map(|delivery| (delivery.number, delivery)));
        if moved && self.has(Fault::MakesDoubles) {
            let again = |known: &&Delivery| {
                new.iter().any(|new| (new.context, new.seq) == (known.context, known.seq))
            };
            told.doubles.extend(known.iter().filter(again).cloned());
        }
        let before = told.cursors.insert(claim.webhook, reached);
        Ok(match self.webhook_fault {
            Fault::CursorStays => counts,
            Fault::CursorGoesBack => moved || counts && before > Some(reached),
            _ => moved,
        })
    }

    async fn due_deliveries(
        &self,
        id: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<DueDelivery>> {
        if self.has(Fault::DueForgetsOrder) {
            return self.with_events(self.whose_time_has_come(id, now).await?).await;
        }
        if self.has(Fault::DueByTimeAlone) {
            let mut seen = BTreeSet::new();
            let mut due = self.whose_time_has_come(id, now).await?;
            due.retain(|delivery| seen.insert(delivery.context));
            due.sort_by_key(|delivery| (delivery.next_at, delivery.number));
            due.truncate(limit);
            return self.with_events(due).await;
        }
        let (now, limit) = match self.webhook_fault {
            Fault::DueIgnoresTime => (now + Millis::from_secs(1_000_000), limit),
            Fault::DueIgnoresLimit => (now, usize::MAX),
            _ => (now, limit),
        };
        let mut due = self.inner.due_deliveries(id, now, limit).await?;
        match self.webhook_fault {
            Fault::DueNewestFirst => due.reverse(),
            Fault::DueWaitsForOthers => {
                let held_up = self.held_up_elsewhere(id, now).await?;
                due.retain(|due| !held_up.contains(&due.due.context()));
            }
            Fault::RedeliverKeepsAttempts => {
                let again = &self.webhooks.lock().again;
                let goes_on = due.iter_mut().filter(|due| again.contains(&due.number));
                goes_on.for_each(|due| due.attempts += 1);
            }
            _ => {}
        }
        Ok(due)
    }

    async fn record_attempts(
        &self,
        claim: WebhookClaim,
        attempts: &[AttemptRecord],
        mut health: Health,
    ) -> StoreResult<bool> {
        let claim = self.taken_for(claim, Fault::RecordsUnfenced);
        let mut attempts = attempts.to_vec();
        let known = self.all_of(claim.webhook).await?;
        for attempt in &mut attempts {
            let Some(one) = known.iter().find(|one| one.number == attempt.number) else { continue };
            let is_done = one.state != DeliveryState::Waiting;
            match self.webhook_fault {
                Fault::CountsEveryAttempt => attempt.attempt = one.attempts + 1,
                Fault::ReopensDone if is_done => {
                    let again = Redelivery::One(one.context, one.seq);
                    self.inner.redeliver(claim.webhook, again, attempt.at).await?;
                    attempt.attempt = 1;
                }
                _ => {}
            }
        }
        if let Some(last) = attempts.last() {
            self.webhooks.lock().attempted_at = Some(last.at);
        }
        let given = health;
        match (self.webhook_fault, self.inner.webhook(claim.webhook).await?) {
            (Fault::HealthStays, Some(webhook)) => health = webhook.health,
            (Fault::NeverPauses, _) => health.paused = None,
            _ => {}
        }
        let recorded = self.inner.record_attempts(claim, &attempts, health).await?;
        if recorded && self.has(Fault::PausesAgain) {
            let update = WebhookUpdate { health: Some(given), ..WebhookUpdate::default() };
            self.inner.update_webhook(claim.webhook, update).await?;
        }
        Ok(recorded)
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> StoreResult<Vec<Delivery>> {
        let is_gone = self.inner.webhook(query.webhook).await?.is_none();
        let mut all = self.all_deliveries().await?;
        {
            let told = self.webhooks.lock();
            all.extend(told.doubles.iter().cloned());
            let outlives = match self.webhook_fault {
                Fault::OutlivesEvents => !is_gone,
                Fault::OutlivesWebhooks => is_gone,
                _ => false,
            };
            if outlives {
                let known: BTreeSet<_> = all.iter().map(|delivery| delivery.number).collect();
                let ever = told.ever.values().filter(|delivery| !known.contains(&delivery.number));
                all.extend(ever.cloned());
            }
            all.retain(|delivery| !told.deleted.contains(&delivery.number));
        }
        all.sort_by_key(|delivery| delivery.number);
        if !self.has(Fault::ListsOldestFirst) {
            all.reverse();
        }
        let overlap = u64::from(self.has(Fault::PagesOverlap));
        let any_state = self.has(Fault::ListIgnoresState);
        let any_webhook = self.has(Fault::ListIgnoresWebhook);
        all.retain(|delivery| {
            (any_webhook || delivery.webhook == query.webhook)
                && (any_state || query.state.is_none_or(|state| delivery.state == state))
                && query.after.is_none_or(|after| delivery.number < after + overlap)
        });
        all.truncate(query.limit);
        Ok(all.into_iter().map(|delivery| self.bent_delivery(delivery)).collect())
    }

    async fn redeliver(
        &self,
        id: WebhookId,
        mut which: Redelivery,
        now: Timestamp,
    ) -> StoreResult<u64> {
        if let (Fault::RedeliverIgnoresTime, Redelivery::Since(since)) =
            (self.webhook_fault, &mut which)
        {
            *since = Timestamp::default();
        }
        let all = self.all_of(id).await?;
        self.webhooks.lock().again.extend(all.iter().map(|delivery| delivery.number));
        let mut again = self.inner.redeliver(id, which, now).await?;
        if self.has(Fault::RedeliversEverywhere) {
            for other in self.all_webhooks().await? {
                if other.id != id {
                    again += self.inner.redeliver(other.id, which, now).await?;
                }
            }
        }
        Ok(again)
    }

    async fn prune_deliveries(
        &self,
        delivered: Timestamp,
        dead: Timestamp,
        limit: usize,
    ) -> StoreResult<u64> {
        let limit_of = |state| match state {
            DeliveryState::Waiting | DeliveryState::Delivered => delivered,
            DeliveryState::Dead => dead,
        };
        let (delivered, dead, limit) = match self.webhook_fault {
            Fault::PrunesDeadWithDelivered => (delivered, delivered, limit),
            Fault::PrunesAtItsTime => (delivered + Millis::new(1), dead + Millis::new(1), limit),
            Fault::PrunesWithoutLimit => (delivered, dead, usize::MAX),
            Fault::PrunesWaiting => {
                let waits = |one: &Delivery| one.state == DeliveryState::Waiting;
                let hidden = self.hide(|one| waits(one) && one.created_at < delivered).await?;
                return Ok(hidden + self.inner.prune_deliveries(delivered, dead, limit).await?);
            }
            Fault::PrunesByCreation => {
                let done = |one: &Delivery| one.state != DeliveryState::Waiting;
                return self.hide(|one| done(one) && one.created_at < limit_of(one.state)).await;
            }
            _ => (delivered, dead, limit),
        };
        let before = self.all_deliveries().await?;
        let count = self.inner.prune_deliveries(delivered, dead, limit).await?;
        let kept: BTreeSet<_> = self.all_deliveries().await?.iter().map(|one| one.number).collect();
        let gone = before.iter().map(|one| one.number).filter(|number| !kept.contains(number));
        self.webhooks.lock().deleted.extend(gone);
        Ok(count)
    }
}
