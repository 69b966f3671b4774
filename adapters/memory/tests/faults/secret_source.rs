//! Every fault of a source of secrets is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Report, SecretAdapter};
use groundcontrol_core::limits::MAX_SECRET_VALUE;
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};
use groundcontrol_memory::MemorySecrets;
use parking_lot::Mutex;

use crate::named::{Named, check};

/// Ways in which a source of secrets can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// White space around a value is lost.
    Trims,
    /// All secrets are answered, whatever was asked for.
    AnswersAll,
    /// Who asks for nothing is refused.
    RefusesNothing,
    /// Names that are missing are left out.
    LeavesOut,
    /// What was read once is answered ever after.
    Remembers,
    /// Names are found whatever their case.
    IgnoresCase,
    /// No more than a hundred are answered.
    AnswersAHundred,
    /// Values of any length are answered.
    TakesAnyLength,
    /// Names are not listed.
    ListsNothing,
    /// It says that it set a value, and did not.
    SetsNothing,
    /// It says that it deleted, and did not.
    DeletesNothing,
    /// Sealing again loses what is sealed.
    LosesInResealing,
}

const TO_THE_LETTER: (&str, &str) = ("resolve", "values_are_answered_to_the_letter");
const ONLY_ASKED: (&str, &str) = ("resolve", "only_what_is_asked_for_is_answered");
const NOTHING: (&str, &str) = ("resolve", "nothing_is_answered_to_who_asks_for_nothing");
const MISSING: (&str, &str) = ("all or none", "a_name_that_is_missing_is_the_answer");
const CHANGED: (&str, &str) =
    ("as it is now", "a_value_that_was_changed_outside_is_answered_as_it_is_now");
const TAKEN_AWAY: (&str, &str) = ("as it is now", "a_secret_that_was_taken_away_is_missing");
const CASE: (&str, &str) = ("resolve", "names_that_differ_in_case_are_two");
const HUNDREDS: (&str, &str) = ("resolve", "hundreds_are_answered_at_once");
const LONGEST: (&str, &str) = ("resolve", "a_value_may_be_as_long_as_its_limit_and_no_longer");
const LISTED: (&str, &str) = ("names", "all_names_are_listed_and_no_values");
const PUT: (&str, &str) = ("put", "what_was_put_is_answered_or_refused_as_read_only");
const DELETED: (&str, &str) = ("delete", "what_was_deleted_is_missing_or_refused_as_read_only");
const RESEALED: (&str, &str) = ("reseal", "sealing_again_changes_no_value");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::Trims, &[TO_THE_LETTER]),
    (Fault::AnswersAll, &[ONLY_ASKED, NOTHING]),
    (Fault::RefusesNothing, &[NOTHING]),
    (Fault::LeavesOut, &[MISSING, TAKEN_AWAY, CASE, LONGEST, DELETED]),
    (Fault::Remembers, &[CHANGED]),
    (Fault::IgnoresCase, &[CASE]),
    (Fault::AnswersAHundred, &[HUNDREDS]),
    (Fault::TakesAnyLength, &[LONGEST, PUT]),
    (Fault::ListsNothing, &[LISTED]),
    (Fault::SetsNothing, &[PUT]),
    (Fault::DeletesNothing, &[DELETED]),
    (Fault::LosesInResealing, &[RESEALED]),
];

struct Faulty {
    held: MemorySecrets,
    fault: Fault,
    remembered: Mutex<Secrets>,
    /// Values that are longer than may be.
    long: Mutex<Secrets>,
}

impl Faulty {
    /// The name under which it looks.
    async fn known_as(&self, name: &SecretName) -> SecretName {
        let same = |held: &SecretName| held.as_str().eq_ignore_ascii_case(name.as_str());
        let names = self.held.names().await.unwrap_or_default();
        let other = names.iter().find(|held| same(held));
        match self.fault {
            Fault::IgnoresCase if !names.contains(name) => other.unwrap_or(name).clone(),
            _ => name.clone(),
        }
    }

    async fn value(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        if let Some(long) = self.long.lock().get(name) {
            return Ok(long.clone());
        }
        let known = self.known_as(name).await;
        let mut found = self
            .held
            .resolve(&BTreeSet::from([known]))
            .await
            .map_err(|_| SecretError::NotFound(name.clone()))?;
        let (_, value) = found.pop_first().ok_or(SecretError::NotFound(name.clone()))?;
        if self.fault == Fault::Remembers {
            return Ok(self.remembered.lock().entry(name.clone()).or_insert(value).clone());
        }
        Ok(match self.fault {
            Fault::Trims => SecretValue::new(value.expose().trim()),
            _ => value,
        })
    }
}

#[async_trait]
impl SecretSource for Faulty {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        if self.fault == Fault::RefusesNothing && names.is_empty() {
            return Err(SecretError::Unavailable("nothing was asked for".to_owned()));
        }
        let mut found = Secrets::new();
        for name in names {
            match self.value(name).await {
                Err(_) if self.fault == Fault::LeavesOut => {}
                value => drop(found.insert(name.clone(), value?)),
            }
        }
        match self.fault {
            Fault::AnswersAll => found.extend(self.held.resolve(&self.held.names().await?).await?),
            Fault::AnswersAHundred => {
                while found.len() > 100 {
                    found.pop_last();
                }
            }
            _ => {}
        }
        Ok(found)
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        match self.fault {
            Fault::ListsNothing => Ok(BTreeSet::new()),
            _ => self.held.names().await,
        }
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        if value.expose().len() > MAX_SECRET_VALUE && self.fault == Fault::TakesAnyLength {
            self.long.lock().insert(name.clone(), value.clone());
            return Ok(());
        }
        match self.fault {
            Fault::SetsNothing => Ok(()),
            _ => self.held.put(name, value).await,
        }
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        match self.fault {
            Fault::DeletesNothing => Ok(true),
            _ => self.held.delete(name).await,
        }
    }

    async fn reseal(&self) -> Result<u64, SecretError> {
        if self.fault == Fault::LosesInResealing {
            for name in self.held.names().await? {
                self.held.put(&name, &SecretValue::new("lost")).await?;
            }
        }
        Ok(0)
    }
}

#[async_trait]
impl SecretAdapter for Faulty {
    fn source(&self) -> &dyn SecretSource {
        self
    }

    async fn set_outside(&self, name: &SecretName, value: Option<&str>) {
        let done = match value.map(SecretValue::new) {
            Some(value) if value.expose().len() > MAX_SECRET_VALUE => self.put(name, &value).await,
            Some(value) => self.held.put(name, &value).await,
            None => self.held.delete(name).await.map(drop),
        };
        // What is too long is refused, and so is not there.
        drop(done);
    }
}

async fn report(fault: Fault) -> Report {
    conformance::secret_source(|| async move {
        let held = MemorySecrets::new();
        Arc::new(Faulty { held, fault, remembered: Mutex::default(), long: Mutex::default() })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_a_source_of_secrets_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
