//! Webhooks, and the events on their way to them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::automation::{
    AlertNotice, DeliveryState, Health, NoticeKind, Webhook, WebhookId,
};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::limits::MAX_WEBHOOKS;
use groundcontrol_core::ports::{
    AttemptRecord, AttemptSeen, Backlog, Delivery, DeliveryQuery, Due, DueDelivery, EventCursor,
    NewDelivery, Redelivery, StoreResult, WebhookClaim, WebhookSaved, WebhookStore, WebhookUpdate,
};
use groundcontrol_core::satellite::{Name, PodName, Seq};
use groundcontrol_core::time::{Millis, Timestamp};

use super::MemoryStore;
use super::state::State;

/// What is stored of webhooks.
#[derive(Default)]
pub(super) struct Webhooks {
    all: BTreeMap<WebhookId, Row>,
    deliveries: BTreeMap<u64, Kept>,
    known: BTreeSet<(WebhookId, ContextId, Seq)>,
    last: u64,
}

struct Row {
    webhook: Webhook,
    cursor: Option<EventCursor>,
    token: u64,
    claimed_until: Option<Timestamp>,
}

struct Kept {
    delivery: Delivery,
    /// The event's; an alert is kept with the delivery itself.
    place: Option<EventCursor>,
}

impl Webhooks {
    /// Deletes the deliveries of events that are not kept any more.
    pub(super) fn forget_events(&mut self, is_kept: impl Fn(EventCursor) -> bool) {
        let gone = self.deliveries.iter().filter(|(_, kept)| !kept.place.is_none_or(&is_kept));
        let gone: Vec<u64> = gone.map(|(number, _)| *number).collect();
        gone.into_iter().for_each(|number| self.delete(number));
    }

    fn delete(&mut self, number: u64) {
        if let Some(Kept { delivery, .. }) = self.deliveries.remove(&number) {
            self.known.remove(&(delivery.webhook, delivery.context, delivery.seq));
        }
    }

    /// The row of a claim that still counts.
    fn claimed(&mut self, claim: WebhookClaim) -> Option<&mut Row> {
        self.all.get_mut(&claim.webhook).filter(|row| row.token == claim.token)
    }

    fn waiting(&self, id: WebhookId) -> impl Iterator<Item = &Delivery> {
        let all = self.deliveries.values().map(|kept| &kept.delivery);
        all.filter(move |delivery| {
            delivery.webhook == id && delivery.state == DeliveryState::Waiting
        })
    }

    /// The deliveries that may be attempted at `now`: of each context the one with the lowest
    /// seq, where its time has come.
    fn due(&self, id: WebhookId, now: Timestamp) -> Vec<&Delivery> {
        let mut first: BTreeMap<ContextId, &Delivery> = BTreeMap::new();
        for delivery in self.waiting(id) {
            let known = first.entry(delivery.context).or_insert(delivery);
            if delivery.seq < known.seq {
                *known = delivery;
            }
        }
        let mut due: Vec<_> = first
            .into_values()
            .filter(|delivery| delivery.next_at.is_some_and(|next| next <= now))
            .collect();
        due.sort_by_key(|delivery| (delivery.next_at, delivery.number));
        due
    }

    fn enqueue(&mut self, webhook: WebhookId, new: &NewDelivery, now: Timestamp) {
        let kind = NoticeKind::Event(new.event);
        self.insert(webhook, (new.context, new.seq), kind, Some(new.cursor), None, now);
    }

    /// Makes a delivery of an alert, where the webhook is there.
    pub(super) fn tell(&mut self, webhook: WebhookId, notice: AlertNotice, now: Timestamp) {
        if self.has(webhook) {
            let (place, kind) = (notice.place(), NoticeKind::Alert(notice.call.kind()));
            self.insert(webhook, place, kind, None, Some(notice), now);
        }
    }

    pub(super) fn has(&self, webhook: WebhookId) -> bool {
        self.all.contains_key(&webhook)
    }

    fn insert(
        &mut self,
        webhook: WebhookId,
        (context, seq): (ContextId, Seq),
        kind: NoticeKind,
        place: Option<EventCursor>,
        alert: Option<AlertNotice>,
        now: Timestamp,
    ) {
        if !self.known.insert((webhook, context, seq)) {
            return;
        }
        let before = self.waiting(webhook).filter(|other| other.context == context);
        let next_at = before.filter_map(|other| other.next_at).max().unwrap_or(now).max(now);
        self.last += 1;
        let delivery = Delivery {
            number: self.last,
            webhook,
            context,
            seq,
            kind,
            alert,
            state: DeliveryState::Waiting,
            attempts: 0,
            created_at: now,
            next_at: Some(next_at),
            attempted_at: None,
            seen: AttemptSeen::default(),
        };
        self.deliveries.insert(self.last, Kept { delivery, place });
    }

    fn record(&mut self, attempt: &AttemptRecord) {
        let Some(Kept { delivery, .. }) = self.deliveries.get_mut(&attempt.number) else { return };
        let follows = delivery.attempts + 1 == attempt.attempt;
        if delivery.state != DeliveryState::Waiting || !follows {
            return;
        }
        delivery.state = attempt.state;
        delivery.attempts = attempt.attempt;
        delivery.next_at = attempt.next_at;
        delivery.attempted_at = Some(attempt.at);
        delivery.seen = attempt.seen.clone();
        let (webhook, context, seq) = (delivery.webhook, delivery.context, delivery.seq);
        let Some(next) = attempt.next_at else { return };
        for Kept { delivery, .. } in self.deliveries.values_mut() {
            let later = delivery.webhook == webhook
                && delivery.context == context
                && delivery.state == DeliveryState::Waiting
                && delivery.seq > seq;
            if later {
                delivery.next_at = delivery.next_at.max(Some(next));
            }
        }
    }
}

impl Row {
    fn is_free(&self, now: Timestamp) -> bool {
        self.webhook.health.paused.is_none() && self.claimed_until.is_none_or(|until| until <= now)
    }
}

impl State {
    fn has_name(&self, name: &Name, but: Option<WebhookId>) -> bool {
        let mut rows = self.webhooks.all.values();
        rows.any(|row| row.webhook.name == *name && Some(row.webhook.id) != but)
    }
}

#[async_trait]
impl WebhookStore for MemoryStore {
    async fn create_webhook(&self, new: Webhook) -> StoreResult<WebhookSaved> {
        let mut state = self.state.lock();
        if state.has_name(&new.name, Some(new.id)) {
            return Ok(WebhookSaved::NameTaken);
        }
        if state.webhooks.all.contains_key(&new.id) {
            return Ok(WebhookSaved::Done);
        }
        if state.webhooks.all.len() >= MAX_WEBHOOKS {
            return Ok(WebhookSaved::TooMany);
        }
        let cursor = state.history.newest();
        let row = Row { webhook: new, cursor, token: 0, claimed_until: None };
        state.webhooks.all.insert(row.webhook.id, row);
        Ok(WebhookSaved::Done)
    }

    async fn webhook(&self, id: WebhookId) -> StoreResult<Option<Webhook>> {
        Ok(self.state.lock().webhooks.all.get(&id).map(|row| row.webhook.clone()))
    }

    async fn webhooks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Webhook>> {
        let state = self.state.lock();
        let mut found: Vec<_> =
            state.webhooks.all.values().map(|row| row.webhook.clone()).collect();
        found.retain(|webhook| after.as_ref().is_none_or(|after| webhook.name > *after));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.truncate(limit);
        Ok(found)
    }

    async fn update_webhook(
        &self,
        id: WebhookId,
        update: WebhookUpdate,
    ) -> StoreResult<WebhookSaved> {
        let mut state = self.state.lock();
        let taken = update.name.as_ref().is_some_and(|name| state.has_name(name, Some(id)));
        let newest = state.history.newest();
        let Some(row) = state.webhooks.all.get_mut(&id) else { return Ok(WebhookSaved::Gone) };
        if taken {
            return Ok(WebhookSaved::NameTaken);
        }
        let WebhookUpdate { name, url, filter, headers, mode, alerts_only, secrets, health } =
            update;
        let webhook = &mut row.webhook;
        let old = webhook.clone();
        webhook.name = name.unwrap_or(old.name);
        webhook.url = url.unwrap_or(old.url);
        webhook.filter = filter.unwrap_or(old.filter);
        webhook.headers = headers.unwrap_or(old.headers);
        webhook.mode = mode.unwrap_or(old.mode);
        webhook.alerts_only = alerts_only.unwrap_or(old.alerts_only);
        if old.alerts_only && !webhook.alerts_only {
            row.cursor = newest;
        }
        webhook.secrets = secrets.unwrap_or(old.secrets);
        webhook.health = health.unwrap_or(old.health);
        Ok(WebhookSaved::Done)
    }

    async fn remove_webhook(&self, id: WebhookId) -> StoreResult<bool> {
        let state = &mut *self.state.lock();
        let webhooks = &mut state.webhooks;
        let of = webhooks.deliveries.values().filter(|kept| kept.delivery.webhook == id);
        let numbers: Vec<u64> = of.map(|kept| kept.delivery.number).collect();
        numbers.into_iter().for_each(|number| webhooks.delete(number));
        let removed = webhooks.all.remove(&id).is_some();
        state.rules.forget_webhook(id);
        Ok(removed)
    }

    async fn idle_webhooks(&self, now: Timestamp) -> StoreResult<Vec<WebhookId>> {
        let state = self.state.lock();
        let newest = state.history.newest();
        let free = state.webhooks.all.iter().filter(|(_, row)| row.is_free(now));
        let busy = free.filter(|(id, row)| {
            let unread = row.cursor < newest && !row.webhook.alerts_only;
            unread || !state.webhooks.due(**id, now).is_empty()
        });
        Ok(busy.map(|(id, _)| *id).collect())
    }

    async fn claim_webhook(
        &self,
        id: WebhookId,
        _pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<WebhookClaim>> {
        let mut state = self.state.lock();
        let Some(row) = state.webhooks.all.get_mut(&id).filter(|row| row.is_free(now)) else {
            return Ok(None);
        };
        row.token += 1;
        row.claimed_until = Some(now + lease);
        Ok(Some(WebhookClaim { webhook: id, token: row.token }))
    }

    async fn renew_claim(
        &self,
        claim: WebhookClaim,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool> {
        let mut state = self.state.lock();
        let Some(row) = state.webhooks.claimed(claim) else { return Ok(false) };
        row.claimed_until = Some(now + lease);
        Ok(true)
    }

    async fn release_claim(&self, claim: WebhookClaim) -> StoreResult<()> {
        let mut state = self.state.lock();
        if let Some(row) = state.webhooks.claimed(claim) {
            row.claimed_until = None;
        }
        Ok(())
    }

    async fn webhook_backlog(&self, id: WebhookId) -> StoreResult<Option<Backlog>> {
        let state = self.state.lock();
        let Some(row) = state.webhooks.all.get(&id) else { return Ok(None) };
        let waiting = state.webhooks.waiting(id).count() as u64;
        Ok(Some(Backlog { cursor: row.cursor, waiting }))
    }

    async fn enqueue_deliveries(
        &self,
        claim: WebhookClaim,
        reached: EventCursor,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> StoreResult<bool> {
        let mut state = self.state.lock();
        let row = state.webhooks.claimed(claim).filter(|row| row.cursor < Some(reached));
        let Some(row) = row else { return Ok(false) };
        row.cursor = Some(reached);
        new.iter().for_each(|new| state.webhooks.enqueue(claim.webhook, new, now));
        Ok(true)
    }

    async fn due_deliveries(
        &self,
        id: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<DueDelivery>> {
        let state = self.state.lock();
        let due = state.webhooks.due(id, now).into_iter().take(limit);
        let with_event = due.filter_map(|delivery| {
            let recorded = || state.history.at(delivery.context, delivery.seq).cloned();
            let due = match delivery.alert.clone() {
                Some(notice) => Due::Alert(notice),
                None => Due::Event(recorded()?),
            };
            let (number, attempts) = (delivery.number, delivery.attempts);
            Some(DueDelivery { number, attempts, due })
        });
        Ok(with_event.collect())
    }

    async fn record_attempts(
        &self,
        claim: WebhookClaim,
        attempts: &[AttemptRecord],
        health: Health,
    ) -> StoreResult<bool> {
        let mut state = self.state.lock();
        let Some(row) = state.webhooks.claimed(claim) else { return Ok(false) };
        let paused = row.webhook.health.paused.or(health.paused);
        row.webhook.health = Health { paused, ..health };
        attempts.iter().for_each(|attempt| state.webhooks.record(attempt));
        Ok(true)
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> StoreResult<Vec<Delivery>> {
        let state = self.state.lock();
        let newest = state.webhooks.deliveries.values().rev().map(|kept| &kept.delivery);
        let found = newest.filter(|delivery| {
            delivery.webhook == query.webhook
                && query.state.is_none_or(|state| delivery.state == state)
                && query.after.is_none_or(|after| delivery.number < after)
        });
        Ok(found.take(query.limit).cloned().collect())
    }

    async fn redeliver(
        &self,
        id: WebhookId,
        which: Redelivery,
        now: Timestamp,
    ) -> StoreResult<u64> {
        let mut state = self.state.lock();
        let mut again = 0;
        for Kept { delivery, .. } in state.webhooks.deliveries.values_mut() {
            let wanted = match which {
                Redelivery::One(context, seq) => (delivery.context, delivery.seq) == (context, seq),
                Redelivery::Since(since) => delivery.created_at >= since,
            };
            if delivery.webhook == id && wanted {
                delivery.state = DeliveryState::Waiting;
                delivery.attempts = 0;
                delivery.next_at = Some(now);
                again += 1;
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
        let webhooks = &mut self.state.lock().webhooks;
        let old = webhooks.deliveries.values().map(|kept| &kept.delivery).filter(|delivery| {
            let before = match delivery.state {
                DeliveryState::Waiting => return false,
                DeliveryState::Delivered => delivered,
                DeliveryState::Dead => dead,
            };
            delivery.attempted_at.is_some_and(|at| at < before)
        });
        let old: Vec<u64> = old.map(|delivery| delivery.number).take(limit).collect();
        let count = old.len() as u64;
        old.into_iter().for_each(|number| webhooks.delete(number));
        Ok(count)
    }
}
