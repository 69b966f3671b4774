//! Every fault of an API token store is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{ApiToken, ApiTokenId, ApiTokenStore, NewApiToken, StoreResult};
use groundcontrol_core::satellite::TokenHash;
use groundcontrol_core::time::Timestamp;
use groundcontrol_memory::MemoryStore;
use parking_lot::Mutex;

use crate::named::{Named, check};

/// Ways in which an API token store can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// Names are kept without what is not ASCII.
    ManglesNames,
    /// Any hash finds the first token that there is.
    FindsAnything,
    /// Tokens that have expired are not found, as if they had never been.
    HidesExpired,
    /// Where a token is put again, the first stays.
    KeepsTheFirst,
    /// Tokens are listed by their ids.
    ListsById,
    /// It says that it deleted, and did not.
    DeletesNothing,
    /// With one token all are deleted.
    DeletesAll,
    /// Deleting always says that something was there.
    AlwaysDeleted,
    /// Every handle has a store of its own.
    EachHandleForItself,
    /// A crash loses everything.
    ForgetsInCrash,
}

const AS_IT_WAS_PUT: (&str, &str) = ("put", "a_token_is_found_by_its_hash_as_it_was_put");
const UNKNOWN: (&str, &str) = ("find", "an_unknown_hash_finds_nothing");
const EXPIRED: (&str, &str) =
    ("find", "an_expired_token_is_still_found_so_that_the_caller_can_refuse_it");
const PUT_TWICE: (&str, &str) = ("put", "the_same_id_twice_is_one_token_and_the_later_holds");
const LISTED: (&str, &str) = ("list", "tokens_are_listed_oldest_first");
const DELETED: (&str, &str) = ("delete", "a_deleted_token_is_nowhere_and_others_stay");
const NOT_THERE: (&str, &str) = ("delete", "deleting_what_is_not_there_answers_false");
const OTHER_HANDLES: (&str, &str) = ("put", "other_handles_see_what_was_put");
const CRASH: (&str, &str) = ("durable", "what_was_put_and_deleted_is_so_after_a_crash");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::ManglesNames, &[AS_IT_WAS_PUT]),
    (Fault::FindsAnything, &[UNKNOWN, PUT_TWICE, DELETED]),
    (Fault::HidesExpired, &[EXPIRED]),
    (Fault::KeepsTheFirst, &[PUT_TWICE]),
    (Fault::ListsById, &[LISTED]),
    (Fault::DeletesNothing, &[DELETED, CRASH]),
    (Fault::DeletesAll, &[DELETED, CRASH]),
    (Fault::AlwaysDeleted, &[NOT_THERE]),
    (Fault::EachHandleForItself, &[OTHER_HANDLES]),
    (Fault::ForgetsInCrash, &[CRASH]),
];

struct Faulty {
    inner: MemoryStore,
    fault: Fault,
    /// What it says that it deleted, and did not.
    kept: Mutex<BTreeSet<ApiTokenId>>,
}

impl Faulty {
    fn over(inner: MemoryStore, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner, fault, kept: Mutex::default() })
    }
}

#[async_trait]
impl ApiTokenStore for Faulty {
    async fn put(&self, mut new: NewApiToken) -> StoreResult<()> {
        if self.fault == Fault::ManglesNames {
            new.token.name.retain(|c| c.is_ascii());
        }
        let again = self.list().await?.iter().any(|token| token.id == new.token.id);
        if self.fault == Fault::KeepsTheFirst && again {
            return Ok(());
        }
        self.inner.put(new).await
    }

    async fn find(&self, hash: &TokenHash) -> StoreResult<Option<ApiToken>> {
        let found = self.inner.find(hash).await?;
        let long_ago = Timestamp::from_millis(1_000);
        Ok(match self.fault {
            Fault::FindsAnything if found.is_none() => self.list().await?.into_iter().next(),
            Fault::HidesExpired => {
                found.filter(|token| token.expires_at.is_none_or(|end| end > long_ago))
            }
            _ => found,
        })
    }

    async fn list(&self) -> StoreResult<Vec<ApiToken>> {
        let mut tokens = ApiTokenStore::list(&self.inner).await?;
        if self.fault == Fault::ListsById {
            tokens.sort_by_key(|token| token.id);
        }
        Ok(tokens)
    }

    async fn delete(&self, id: ApiTokenId) -> StoreResult<bool> {
        if self.fault == Fault::DeletesNothing {
            let there = self.list().await?.iter().any(|token| token.id == id);
            return Ok(there && self.kept.lock().insert(id));
        }
        let deleted = self.inner.delete(id).await?;
        if self.fault == Fault::DeletesAll && deleted {
            for token in self.list().await? {
                self.inner.delete(token.id).await?;
            }
        }
        Ok(deleted || self.fault == Fault::AlwaysDeleted)
    }
}

async fn report(fault: Fault) -> Report {
    conformance::api_token_store(|| async move {
        let (kept, stranger) = (MemoryStore::new(), MemoryStore::new());
        let other = match fault {
            Fault::EachHandleForItself => stranger.clone(),
            _ => kept.clone(),
        };
        Fixture::<dyn ApiTokenStore>::new(Faulty::over(kept.clone(), fault))
            .with_handle(Faulty::over(other, fault))
            .reopened_by(move || {
                let inner = match fault {
                    Fault::ForgetsInCrash => stranger.clone(),
                    _ => kept.clone(),
                };
                let store: Arc<dyn ApiTokenStore> = Faulty::over(inner, fault);
                async { store }
            })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_an_api_token_store_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
