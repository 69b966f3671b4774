//! The work for one webhook, for as long as there is some.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use groundcontrol_core::automation::Webhook;
use groundcontrol_core::connection::{ContextId, Event};
use groundcontrol_core::limits::{MAX_WAITING_DELIVERIES, WEBHOOK_REQUESTS};
use groundcontrol_core::ports::{NewDelivery, RecordedEvent, StoreResult, WebhookClaim};
use groundcontrol_core::satellite::{SatelliteId, Tags};
use groundcontrol_core::time::Millis;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::attempt::{Attempted, attempt};
use crate::pod::{Pod, WebhookPorts};

/// A webhook is another pod's when nothing was heard of its own for this long.
pub(super) const LEASE: Millis = Millis::from_secs(15);
/// The lease is renewed when it is this old.
const RENEW: Duration = Duration::from_secs(4);
/// Events that are looked at together.
const PAGE: usize = 500;

/// Works for one webhook under one claim.
pub(super) struct Worker<'a> {
    pub(super) pod: &'a Pod,
    pub(super) ports: &'a WebhookPorts,
    pub(super) claim: WebhookClaim,
    renewed: Instant,
    /// Requests under way, at most one a context.
    sending: FuturesUnordered<BoxFuture<'static, Attempted>>,
    busy: BTreeSet<ContextId>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(pod: &'a Pod, ports: &'a WebhookPorts, claim: WebhookClaim) -> Self {
        let sending = FuturesUnordered::new();
        Self { pod, ports, claim, renewed: Instant::now(), sending, busy: BTreeSet::new() }
    }

    /// Works until there is nothing to do, the claim is lost, the webhook is paused or gone, or the
    /// pod drains; requests that are under way then are waited for.
    pub(super) async fn run(mut self, look: &Notify) -> StoreResult<()> {
        loop {
            if self.renewed.elapsed() >= RENEW && !self.renew().await? {
                return Ok(());
            }
            let webhook = self.ports.store.webhook(self.claim.webhook).await?;
            let active = webhook.filter(|webhook| webhook.health.paused.is_none());
            let mut more = false;
            if let Some(webhook) = active.filter(|_| !self.pod.phase.is_draining()) {
                more = self.enqueue(&webhook).await?;
                self.send_due(&webhook).await?;
            }
            if self.sending.is_empty() {
                match more {
                    true => continue,
                    false => return Ok(()),
                }
            }
            let ended = self.some_ended(look, more).await;
            if !ended.is_empty() && !self.record(ended).await? {
                return Ok(());
            }
        }
    }

    async fn renew(&mut self) -> StoreResult<bool> {
        let now = Instant::now();
        let kept = self.ports.store.renew_claim(self.claim, self.pod.now(), LEASE).await?;
        self.renewed = now;
        Ok(kept)
    }

    /// Makes deliveries of the next events; answers whether there may be more of them. Where too
    /// many deliveries wait, the events do: they are kept anyway.
    async fn enqueue(&mut self, webhook: &Webhook) -> StoreResult<bool> {
        let Some(backlog) = self.ports.store.webhook_backlog(webhook.id).await? else {
            return Ok(false);
        };
        if backlog.waiting >= MAX_WAITING_DELIVERIES {
            return Ok(false);
        }
        if webhook.alerts_only {
            return Ok(false);
        }
        let page = self.pod.store.events_after(backlog.cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok(false) };
        let wanted = self.wanted(webhook, &page).await?;
        let now = self.pod.now();
        let forward =
            self.ports.store.enqueue_deliveries(self.claim, last.cursor, &wanted, now).await?;
        Ok(forward && page.len() == PAGE)
    }

    async fn wanted(
        &mut self,
        webhook: &Webhook,
        page: &[RecordedEvent],
    ) -> StoreResult<Vec<NewDelivery>> {
        let filter = &webhook.filter;
        let mut tags: BTreeMap<SatelliteId, Tags> = BTreeMap::new();
        if filter.needs_tags() {
            let edges = page.iter().filter_map(|event| event.recorded.transition());
            let whose: BTreeSet<_> = edges.map(|edge| edge.satellite).collect();
            let found = self.pod.store.get_many(&whose.into_iter().collect::<Vec<_>>()).await?;
            tags = found.into_iter().map(|one| (one.satellite.id, one.satellite.tags)).collect();
        }
        let none = Tags::default();
        let delivery = |recorded: &RecordedEvent| {
            let event = Event::derive(&recorded.recorded)?;
            let tags = event.satellite().and_then(|id| tags.get(&id)).unwrap_or(&none);
            filter.wants(&event, tags).then_some(NewDelivery {
                cursor: recorded.cursor,
                context: event.context(),
                seq: event.seq(),
                event: event.kind(),
            })
        };
        Ok(page.iter().filter_map(delivery).collect())
    }

    /// Begins to send what may be sent, as far as there is room.
    async fn send_due(&mut self, webhook: &Webhook) -> StoreResult<()> {
        let room = WEBHOOK_REQUESTS.saturating_sub(self.sending.len());
        if room == 0 {
            return Ok(());
        }
        let now = self.pod.now();
        // Those under way are due as well, until what came of them is stored.
        let most = room + self.busy.len();
        let due = self.ports.store.due_deliveries(webhook.id, now, most).await?;
        for delivery in due {
            let context = delivery.due.context();
            if self.sending.len() < WEBHOOK_REQUESTS && self.busy.insert(context) {
                self.sending.push(attempt(&self.ports.sender, webhook, delivery, now));
            }
        }
        Ok(())
    }

    /// Waits until a request ended, there may be news, or the lease is to be renewed; answers all
    /// that ended.
    async fn some_ended(&mut self, look: &Notify, at_once: bool) -> Vec<Attempted> {
        let mut ended = Vec::new();
        if !at_once {
            tokio::select! {
                Some(first) = self.sending.next() => ended.push(first),
                () = look.notified() => {}
                () = sleep(RENEW) => {}
            }
        }
        while let Some(Some(next)) = self.sending.next().now_or_never() {
            ended.push(next);
        }
        for attempted in &ended {
            self.busy.remove(&attempted.context());
        }
        ended
    }
}
