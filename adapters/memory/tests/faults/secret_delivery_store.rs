//! Every fault of a record of deliveries of secrets is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{SecretDeliveryQuery, SecretDeliveryStore, StoreResult};
use groundcontrol_core::secrets::{Delivery, StoredDelivery};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_memory::MemoryStore;
use parking_lot::Mutex;

use crate::named::{Named, check};

/// Ways in which a record of deliveries can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// Which secrets they were is not kept.
    DropsNames,
    /// What looks the same is kept once.
    KeepsRepetitionsOnce,
    /// A call keeps no more than a thousand.
    CutsLongBatches,
    /// Whose they are is overlooked.
    IgnoresSatellite,
    /// Those at the end of the time are listed too.
    UntilIsInclusive,
    /// They are listed oldest first.
    ListsOldestFirst,
    /// All are listed, however few were asked for.
    ListsWithoutLimit,
    /// A page begins with the last of the one before.
    PagesOverlap,
    /// A list goes on before the time of the last, not after the last.
    PagesByTime,
    /// Of the old ones those go first that came first.
    PrunesByNumber,
    /// All old ones go at once.
    PrunesWithoutLimit,
    /// Those at the very time go too.
    PrunesAtItsTime,
    /// A crash loses everything.
    ForgetsInCrash,
}

const TO_THE_LETTER: (&str, &str) = ("record", "what_was_put_on_record_is_read_to_the_letter");
const LISTED: (&str, &str) = ("deliveries", "they_are_listed_by_satellite_and_time_newest_first");
const GOES_ON: (&str, &str) = ("deliveries", "a_list_goes_on_after_any_of_them");
const PRUNED: (&str, &str) = ("prune", "the_oldest_go_first_in_small_steps");
const THOUSANDS: (&str, &str) = ("together", "thousands_are_kept_in_one_call");
const CRASH: (&str, &str) = ("durable", "they_are_there_after_a_crash");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::DropsNames, &[TO_THE_LETTER]),
    (Fault::KeepsRepetitionsOnce, &[GOES_ON]),
    (Fault::CutsLongBatches, &[THOUSANDS]),
    (Fault::IgnoresSatellite, &[LISTED]),
    (Fault::UntilIsInclusive, &[LISTED]),
    (Fault::ListsOldestFirst, &[TO_THE_LETTER, LISTED, PRUNED]),
    (Fault::ListsWithoutLimit, &[LISTED, GOES_ON]),
    (Fault::PagesOverlap, &[GOES_ON]),
    (Fault::PagesByTime, &[GOES_ON]),
    (Fault::PrunesByNumber, &[PRUNED]),
    (Fault::PrunesWithoutLimit, &[PRUNED]),
    (Fault::PrunesAtItsTime, &[PRUNED]),
    (Fault::ForgetsInCrash, &[CRASH]),
];

struct Faulty {
    inner: MemoryStore,
    fault: Fault,
    /// What it says that it has no more, and has.
    hidden: Mutex<BTreeSet<u64>>,
}

impl Faulty {
    fn over(inner: MemoryStore, fault: Fault) -> Arc<dyn SecretDeliveryStore> {
        Arc::new(Self { inner, fault, hidden: Mutex::default() })
    }

    /// All of them, oldest first.
    async fn all(&self) -> StoreResult<Vec<StoredDelivery>> {
        let all = SecretDeliveryQuery { limit: usize::MAX, ..SecretDeliveryQuery::default() };
        let mut found = self.inner.deliveries(&all).await?;
        found.reverse();
        Ok(found)
    }
}

#[async_trait]
impl SecretDeliveryStore for Faulty {
    async fn record_deliveries(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        let mut kept = deliveries.to_vec();
        match self.fault {
            Fault::DropsNames => kept.iter_mut().for_each(|delivery| delivery.names.clear()),
            Fault::CutsLongBatches => kept.truncate(1_000),
            Fault::KeepsRepetitionsOnce => {
                let known = self.all().await?;
                kept.retain(|new| known.iter().all(|stored| stored.delivery != *new));
            }
            _ => {}
        }
        self.inner.record_deliveries(&kept).await
    }

    async fn deliveries(&self, query: &SecretDeliveryQuery) -> StoreResult<Vec<StoredDelivery>> {
        let mut query = query.clone();
        let all = self.all().await?;
        let last = all.iter().find(|stored| Some(stored.number) == query.after);
        match (self.fault, last) {
            (Fault::IgnoresSatellite, _) => query.satellite = None,
            (Fault::UntilIsInclusive, _) => {
                query.until = query.until.map(|until| until + Millis::new(1));
            }
            (Fault::ListsWithoutLimit, _) => query.limit = usize::MAX,
            (Fault::PagesOverlap, _) => query.after = query.after.map(|after| after + 1),
            (Fault::PagesByTime, Some(last)) => {
                (query.after, query.until) = (None, Some(last.delivery.at));
            }
            _ => {}
        }
        let mut found = self.inner.deliveries(&query).await?;
        found.retain(|stored| !self.hidden.lock().contains(&stored.number));
        if self.fault == Fault::ListsOldestFirst {
            found.reverse();
        }
        Ok(found)
    }

    async fn prune_deliveries(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        match self.fault {
            Fault::PrunesByNumber => {
                let all = self.all().await?;
                let hidden = &mut self.hidden.lock();
                let old = all.iter().filter(|stored| stored.delivery.at < before);
                let old = old.map(|stored| stored.number).filter(|number| !hidden.contains(number));
                let old: Vec<_> = old.take(limit).collect();
                hidden.extend(old.iter().copied());
                Ok(old.len() as u64)
            }
            Fault::PrunesWithoutLimit => self.inner.prune_deliveries(before, usize::MAX).await,
            Fault::PrunesAtItsTime => {
                self.inner.prune_deliveries(before + Millis::new(1), limit).await
            }
            _ => self.inner.prune_deliveries(before, limit).await,
        }
    }
}

async fn report(fault: Fault) -> Report {
    conformance::secret_delivery_store(|| async move {
        let kept = MemoryStore::new();
        Fixture::from(Faulty::over(kept.clone(), fault)).reopened_by(move || {
            let inner = match fault {
                Fault::ForgetsInCrash => MemoryStore::new(),
                _ => kept.clone(),
            };
            let store = Faulty::over(inner, fault);
            async { store }
        })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_a_record_of_deliveries_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
