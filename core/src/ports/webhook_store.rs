//! Webhooks, and the events on their way to them.

use async_trait::async_trait;

use super::{EventCursor, StoreResult};
use crate::automation::{
    AlertNotice, ContentMode, DeliveryState, EventFilter, Health, KeptSecret, NoticeKind, Webhook,
    WebhookHeaders, WebhookId, WebhookUrl,
};
use crate::connection::{ContextId, EventKind, Recorded};
use crate::satellite::{Name, PodName, Seq};
use crate::time::{Millis, Timestamp};

/// Webhooks with a durable cursor each, and the deliveries that follow from it.
///
/// A webhook's cursor is a place in the order of all events: what comes after it was not looked at
/// yet. Looking makes deliveries of the events that the webhook wants, and moves the cursor, both
/// in one write. One pod at a time works for a webhook, under a lease; whatever it leaves behind,
/// the next one finds. Every promise below has a case in `conformance::webhook_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Fenced**: what a claim writes is written only while no other claim of the webhook was given
///   out since.
/// * **In order**: of a context's deliveries that wait, only the one with the lowest seq is due;
///   the others never before it.
/// * **Once**: an event is made into one delivery of a webhook at most.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Makes a webhook, whose cursor is at the newest event, unless there are
    /// [`MAX_WEBHOOKS`](crate::limits::MAX_WEBHOOKS) already.
    async fn create_webhook(&self, new: Webhook) -> StoreResult<WebhookSaved>;

    /// One webhook.
    async fn webhook(&self, id: WebhookId) -> StoreResult<Option<Webhook>>;

    /// At most `limit` webhooks whose name comes after `after`, ordered by name, by its bytes.
    async fn webhooks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Webhook>>;

    /// Changes a webhook: all fields that are `Some`, or nothing.
    async fn update_webhook(
        &self,
        id: WebhookId,
        update: WebhookUpdate,
    ) -> StoreResult<WebhookSaved>;

    /// Removes a webhook with its deliveries; false where there is none.
    async fn remove_webhook(&self, id: WebhookId) -> StoreResult<bool>;

    /// The webhooks that are not paused, are claimed by nobody at `now`, and have something to do:
    /// an event after their cursor, or a delivery whose time has come. In any order.
    async fn idle_webhooks(&self, now: Timestamp) -> StoreResult<Vec<WebhookId>>;

    /// Claims a webhook until `now` + `lease`; none where it is gone, paused, or claimed.
    async fn claim_webhook(
        &self,
        id: WebhookId,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<WebhookClaim>>;

    /// Lets a claim last until `now` + `lease`; false where it is lost.
    async fn renew_claim(
        &self,
        claim: WebhookClaim,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool>;

    /// Gives a claim back. One that is lost already: nothing.
    async fn release_claim(&self, claim: WebhookClaim) -> StoreResult<()>;

    /// Where the webhook's cursor is, and how many of its deliveries wait; none where it is gone.
    async fn webhook_backlog(&self, id: WebhookId) -> StoreResult<Option<Backlog>>;

    /// Moves the cursor to `reached` and makes deliveries that wait from `now` on, or until those
    /// of the same context before them may be attempted; false, and nothing, where the claim is
    /// lost or the cursor was there already.
    async fn enqueue_deliveries(
        &self,
        claim: WebhookClaim,
        reached: EventCursor,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Deliveries of a webhook whose time has come at `now`, one a context at most, with what
    /// is told; those first that waited longest. At most `limit`.
    async fn due_deliveries(
        &self,
        id: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<DueDelivery>>;

    /// Stores what came of attempts, and how the webhook fares now: a reason to pause is taken
    /// unless it is paused already. Where a delivery waits on, the later ones of its context wait
    /// as long. False, and nothing, where the claim is lost. An attempt that does not follow the
    /// last one stored, or whose delivery waits no more, is left out.
    async fn record_attempts(
        &self,
        claim: WebhookClaim,
        attempts: &[AttemptRecord],
        health: Health,
    ) -> StoreResult<bool>;

    /// The deliveries that match, newest first.
    async fn deliveries(&self, query: &DeliveryQuery) -> StoreResult<Vec<Delivery>>;

    /// Lets deliveries wait from `now` on as if they had never been attempted; answers how many.
    async fn redeliver(&self, id: WebhookId, which: Redelivery, now: Timestamp)
    -> StoreResult<u64>;

    /// Deletes up to `limit` deliveries that are done: delivered before `delivered`, or given up
    /// before `dead`; answers how many. Those of events that are deleted go with them.
    async fn prune_deliveries(
        &self,
        delivered: Timestamp,
        dead: Timestamp,
        limit: usize,
    ) -> StoreResult<u64>;
}

/// What became of a change to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookSaved {
    /// It is stored.
    Done,
    /// Another webhook has the name.
    NameTaken,
    /// There is no such webhook.
    Gone,
    /// There are as many as there may be.
    TooMany,
}

/// A change to a webhook; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new URL.
    pub url: Option<WebhookUrl>,
    /// The new filter.
    pub filter: Option<EventFilter>,
    /// The new headers, in place of all old ones.
    pub headers: Option<WebhookHeaders>,
    /// The new way to write events.
    pub mode: Option<ContentMode>,
    /// Whether it is told of alerts alone. One that no longer is begins with what happens after that.
    pub alerts_only: Option<bool>,
    /// The new secrets, in place of all old ones.
    pub secrets: Option<Vec<KeptSecret>>,
    /// Paused, or active again.
    pub health: Option<Health>,
}

/// The right to work for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookClaim {
    /// Which.
    pub webhook: WebhookId,
    /// What tells this claim from all others of it.
    pub token: u64,
}

/// How far a webhook has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The last event that was looked at; none before the first.
    pub cursor: Option<EventCursor>,
    /// Deliveries that wait.
    pub waiting: u64,
}

/// A delivery to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The event's place.
    pub cursor: EventCursor,
    /// What it belongs to.
    pub context: ContextId,
    /// The event's number.
    pub seq: Seq,
    /// Which event.
    pub event: EventKind,
}

/// A delivery whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// Its number.
    pub number: u64,
    /// How often it was attempted already.
    pub attempts: u32,
    /// What is told.
    pub due: Due,
}

/// What a delivery is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// What was recorded.
    Event(Recorded),
    /// What a rule made of it.
    Alert(AlertNotice),
}

impl Due {
    /// What it belongs to.
    pub fn context(&self) -> ContextId {
        match self {
            Self::Event(recorded) => recorded.place().0,
            Self::Alert(notice) => notice.place().0,
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The delivery's number.
    pub number: u64,
    /// The attempt's number: 1, 2, 3 …
    pub attempt: u32,
    /// When it ended.
    pub at: Timestamp,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// When the next attempt is due, where it waits.
    pub next_at: Option<Timestamp>,
    /// What was seen.
    pub seen: AttemptSeen,
}

/// What was seen of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptSeen {
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long it took.
    pub latency: Millis,
    /// The beginning of the answer's body.
    pub response: Option<String>,
    /// Why there was no answer, or what was wrong with it.
    pub error: Option<String>,
}

/// A delivery as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub number: u64,
    /// To which webhook.
    pub webhook: WebhookId,
    /// What it belongs to: the satellite, the region, the alert.
    pub context: ContextId,
    /// The number in its context.
    pub seq: Seq,
    /// What is told.
    pub kind: NoticeKind,
    /// The alert, where it is of one.
    pub alert: Option<AlertNotice>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was attempted.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is attempted next, where it waits.
    pub next_at: Option<Timestamp>,
    /// When it was attempted last; none before the first attempt.
    pub attempted_at: Option<Timestamp>,
    /// What was seen then; nothing before the first attempt.
    pub seen: AttemptSeen,
}

/// Which deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Of this webhook.
    pub webhook: WebhookId,
    /// Only those that stand so.
    pub state: Option<DeliveryState>,
    /// Only those that come after this one in the list.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: usize,
}

/// What is to be delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// The delivery of one notice.
    One(ContextId, Seq),
    /// All deliveries made at this time or later.
    Since(Timestamp),
}
