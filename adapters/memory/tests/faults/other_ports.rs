//! Faults of the smaller ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, ApiTokenStore, Broadcast, Clock, NewApiToken, Nudge, NudgeStream,
    StoreResult,
};
use groundcontrol_core::satellite::TokenHash;
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_memory::{MemoryBroadcast, MemoryStore};

fn failed(report: &Report, name: &str) {
    let names: Vec<_> = report.failed().map(|case| case.name).collect();
    assert!(names.contains(&name), "{name} did not fail\n{report}");
}

/// Loses a nudge in ten and says nothing.
struct Lossy {
    inner: MemoryBroadcast,
    sent: AtomicUsize,
}

#[async_trait]
impl Broadcast for Lossy {
    fn send(&self, nudge: Nudge) {
        if self.sent.fetch_add(1, Ordering::Relaxed) % 10 != 9 {
            self.inner.send(nudge);
        }
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        self.inner.subscribe().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_that_loses_nudges_in_silence_is_caught() {
    let make = || async {
        let lossy = Lossy { inner: MemoryBroadcast::with_capacity(200_000), sent: 0.into() };
        Fixture::from(Arc::new(lossy))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
    };
    let report = conformance::broadcast(make).await;
    failed(&report, "every_subscriber_hears_every_nudge");
    failed(&report, "a_subscriber_that_falls_behind_hears_all_or_that_it_missed_some");
}

/// Hides from a subscriber that it missed something.
struct Hushed(MemoryBroadcast);
struct HushedStream(Box<dyn NudgeStream>);

#[async_trait]
impl Broadcast for Hushed {
    fn send(&self, nudge: Nudge) {
        self.0.send(nudge);
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        Box::new(HushedStream(self.0.subscribe().await))
    }
}

#[async_trait]
impl NudgeStream for HushedStream {
    async fn next(&mut self) -> Option<Nudge> {
        loop {
            match self.0.next().await {
                Some(Nudge::Missed) => {}
                other => return other,
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_that_hides_what_was_missed_is_caught() {
    let make = || async {
        Fixture::from(Arc::new(Hushed(MemoryBroadcast::new())))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
    };
    let report = conformance::broadcast(make).await;
    failed(&report, "a_subscriber_that_falls_behind_hears_all_or_that_it_missed_some");
    assert_eq!(report.failed().count(), 1, "{report}");
}

/// A clock that runs backwards, as a wall clock does that is set.
struct WallClock(AtomicI64);

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let reads = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millis(if reads % 5_000 == 4_999 { 0 } else { reads })
    }

    fn error(&self) -> Millis {
        Millis::from_secs(1)
    }
}

#[tokio::test]
async fn a_clock_that_runs_backwards_and_one_that_is_far_off_are_caught() {
    let report = conformance::clock(|| async { Arc::new(WallClock(0.into())) }).await;
    failed(&report, "it_never_runs_backwards");
    failed(&report, "threads_agree_on_what_is_past");
    failed(&report, "its_error_leaves_settle_under_half_a_second");
}

/// Lists by id, keeps the hash that came first, and deletes nothing.
struct Careless(MemoryStore);

#[async_trait]
impl ApiTokenStore for Careless {
    async fn put(&self, new: NewApiToken) -> StoreResult<()> {
        match ApiTokenStore::list(&self.0).await?.iter().any(|token| token.id == new.token.id) {
            true => Ok(()),
            false => self.0.put(new).await,
        }
    }

    async fn find(&self, hash: &TokenHash) -> StoreResult<Option<ApiToken>> {
        self.0.find(hash).await
    }

    async fn list(&self) -> StoreResult<Vec<ApiToken>> {
        let mut tokens = ApiTokenStore::list(&self.0).await?;
        tokens.sort_by_key(|token| token.id);
        Ok(tokens)
    }

    async fn delete(&self, _id: ApiTokenId) -> StoreResult<bool> {
        Ok(true)
    }
}

#[tokio::test]
async fn a_careless_token_store_is_caught() {
    let report =
        conformance::api_token_store(|| async { Arc::new(Careless(MemoryStore::new())) }).await;
    failed(&report, "the_same_id_twice_is_one_token_and_the_later_holds");
    failed(&report, "tokens_are_listed_oldest_first");
    failed(&report, "a_deleted_token_is_nowhere_and_others_stay");
    failed(&report, "deleting_what_is_not_there_answers_false");
}
