//! Every fault of a store of sealed secrets is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{SealedSecret, SealedStore, StoreResult};
use groundcontrol_core::secrets::SecretName;
use groundcontrol_memory::MemoryStore;

use crate::named::{Named, check};

/// Ways in which a store of sealed secrets can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// Ids of keys are kept without what is not ASCII.
    ManglesKeys,
    /// Of two secrets of one name the first stays.
    FirstStays,
    /// All secrets are answered, whatever was asked for.
    AnswersAll,
    /// Names are found whatever their case.
    IgnoresCase,
    /// Names that begin with a capital are not listed.
    ListsSmallLetters,
    /// With one secret all are deleted.
    DeletesAll,
    /// Deleting always says that something was there.
    AlwaysDeleted,
    /// Those under the very key are answered too.
    OtherwiseIgnoresKey,
    /// All are answered, however few were asked for.
    OtherwiseIgnoresLimit,
    /// A secret is replaced whatever is kept by then.
    ReplacesBlindly,
    /// What is kept by then is told by its key alone.
    ReplacesByKey,
    /// A secret that was deleted by then comes back.
    ReplacesDeleted,
    /// It says that it replaced, and did not.
    ReplacesNothing,
    /// A crash loses everything.
    ForgetsInCrash,
}

const TO_THE_LETTER: (&str, &str) = ("put", "what_was_put_is_read_to_the_letter");
const LATER: (&str, &str) = ("put", "of_two_of_one_name_the_later_is_kept");
const ONLY_ASKED: (&str, &str) = ("sealed", "only_what_is_asked_for_is_read");
const NAMES: (&str, &str) = ("names", "all_names_are_listed");
const DELETED: (&str, &str) = ("delete", "what_was_deleted_is_gone_and_others_stay");
const OTHERWISE: (&str, &str) = ("otherwise", "what_is_sealed_under_other_keys_is_found");
const REPLACED: (&str, &str) = ("conditional", "only_what_is_as_it_was_read_is_replaced");
const CRASH: (&str, &str) = ("durable", "secrets_are_there_after_a_crash");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::ManglesKeys, &[TO_THE_LETTER]),
    (Fault::FirstStays, &[LATER, REPLACED]),
    (Fault::AnswersAll, &[ONLY_ASKED]),
    (Fault::IgnoresCase, &[ONLY_ASKED]),
    (Fault::ListsSmallLetters, &[NAMES]),
    (Fault::DeletesAll, &[DELETED, CRASH]),
    (Fault::AlwaysDeleted, &[DELETED]),
    (Fault::OtherwiseIgnoresKey, &[OTHERWISE]),
    (Fault::OtherwiseIgnoresLimit, &[OTHERWISE]),
    (Fault::ReplacesBlindly, &[REPLACED]),
    (Fault::ReplacesByKey, &[REPLACED]),
    (Fault::ReplacesDeleted, &[REPLACED]),
    (Fault::ReplacesNothing, &[REPLACED]),
    (Fault::ForgetsInCrash, &[CRASH]),
];

struct Faulty {
    inner: MemoryStore,
    fault: Fault,
}

impl Faulty {
    async fn all(&self) -> StoreResult<Vec<SealedSecret>> {
        self.inner.sealed(&self.inner.sealed_names().await?).await
    }

    async fn one(&self, name: &SecretName) -> StoreResult<Option<SealedSecret>> {
        Ok(self.inner.sealed(&BTreeSet::from([name.clone()])).await?.pop())
    }
}

#[async_trait]
impl SealedStore for Faulty {
    async fn sealed(&self, names: &BTreeSet<SecretName>) -> StoreResult<Vec<SealedSecret>> {
        let mut all = self.all().await?;
        let asked = |secret: &SealedSecret| match self.fault {
            Fault::AnswersAll => true,
            Fault::IgnoresCase => {
                let known = secret.name.as_str();
                names.iter().any(|name| name.as_str().eq_ignore_ascii_case(known))
            }
            _ => names.contains(&secret.name),
        };
        all.retain(asked);
        Ok(all)
    }

    async fn sealed_names(&self) -> StoreResult<BTreeSet<SecretName>> {
        let mut names = self.inner.sealed_names().await?;
        if self.fault == Fault::ListsSmallLetters {
            names.retain(|name| name.as_str().starts_with(|first: char| first.is_lowercase()));
        }
        Ok(names)
    }

    async fn put_sealed(&self, mut secret: SealedSecret) -> StoreResult<()> {
        if self.fault == Fault::ManglesKeys {
            secret.key_id.retain(|c| c.is_ascii());
        }
        let again = self.one(&secret.name).await?.is_some();
        if self.fault == Fault::FirstStays && again {
            return Ok(());
        }
        self.inner.put_sealed(secret).await
    }

    async fn delete_sealed(&self, name: &SecretName) -> StoreResult<bool> {
        let deleted = self.inner.delete_sealed(name).await?;
        if self.fault == Fault::DeletesAll && deleted {
            for other in self.inner.sealed_names().await? {
                self.inner.delete_sealed(&other).await?;
            }
        }
        Ok(deleted || self.fault == Fault::AlwaysDeleted)
    }

    async fn sealed_otherwise(&self, key_id: &str, limit: usize) -> StoreResult<Vec<SealedSecret>> {
        match self.fault {
            Fault::OtherwiseIgnoresKey => {
                let mut all = self.all().await?;
                all.truncate(limit);
                Ok(all)
            }
            Fault::OtherwiseIgnoresLimit => self.inner.sealed_otherwise(key_id, usize::MAX).await,
            _ => self.inner.sealed_otherwise(key_id, limit).await,
        }
    }

    async fn replace_sealed(&self, old: &SealedSecret, new: SealedSecret) -> StoreResult<bool> {
        let kept = self.one(&old.name).await?;
        let fits = match (self.fault, kept) {
            (Fault::ReplacesBlindly, kept) => kept.is_some(),
            (Fault::ReplacesByKey, kept) => kept.is_some_and(|kept| kept.key_id == old.key_id),
            (Fault::ReplacesDeleted, kept) => kept.is_none_or(|kept| kept == *old),
            (Fault::ReplacesNothing, kept) => return Ok(kept.is_some_and(|kept| kept == *old)),
            _ => return self.inner.replace_sealed(old, new).await,
        };
        if fits {
            self.inner.put_sealed(new).await?;
        }
        Ok(fits)
    }
}

async fn report(fault: Fault) -> Report {
    conformance::sealed_store(|| async move {
        let kept = MemoryStore::new();
        let store: Arc<dyn SealedStore> = Arc::new(Faulty { inner: kept.clone(), fault });
        Fixture::from(store).reopened_by(move || {
            let inner = match fault {
                Fault::ForgetsInCrash => MemoryStore::new(),
                _ => kept.clone(),
            };
            let store: Arc<dyn SealedStore> = Arc::new(Faulty { inner, fault });
            async { store }
        })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_a_store_of_sealed_secrets_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
