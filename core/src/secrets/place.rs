//! Which secrets a place in a satellite's configuration declares. A satellite names the place; the
//! names of the secrets are read from the server's own copy, so that it never gets others.

use std::collections::BTreeSet;

use super::name::SecretName;
use super::template::{Piece, has_reference, pieces};
use super::value::{ConfigValues, SecretValue, Secrets, Values};
use crate::assignment::{Check, CheckId, Configuration, Json, Value};
use crate::limits::{
    MAX_SECRET_ANSWER, MAX_SECRET_NAME_CHARS, MAX_SECRET_NAMES, MAX_SECRET_REFERENCES,
};

/// The member of a collector's settings that declares its secret environment.
const SECRET_ENV: &str = "secretEnv";

/// Why a place gets no secrets: what the satellite is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The satellite is not assigned to this, when it asks for an environment.
    #[error("No assignment \"{0}\" for this satellite; cannot deliver secrets.")]
    NotAssigned(String),
    /// The same, when it asks for what is inside a configuration.
    #[error("No assignment \"{0}\" for this satellite; cannot deliver config secrets.")]
    NotAssignedConfig(String),
    /// The assignment has no such collector.
    #[error("Collector \"{collector}\" not found in assignment \"{config}\".")]
    NoCollector {
        /// What the satellite called the collector.
        collector: String,
        /// What it called the assignment.
        config: String,
    },
    /// The collector has no `secretEnv`, or one that is no object of texts.
    #[error("Collector \"{0}\" declares no secretEnv; nothing to resolve.")]
    NothingDeclared(String),
    /// There is no secret of this name.
    #[error("Secret not found: {0}")]
    NotFound(String),
    /// The stored configuration is no JSON.
    #[error("The configuration of assignment \"{0}\" cannot be read.")]
    Unreadable(String),
    /// More references than may be in one place.
    #[error("More than {MAX_SECRET_REFERENCES} references to secrets in one place.")]
    TooManyReferences,
    /// More secrets than one place may refer to.
    #[error("More than {MAX_SECRET_NAMES} different secrets in one place.")]
    TooManyNames,
    /// With the values in their places there is more than one answer may hold.
    #[error("More than {MAX_SECRET_ANSWER} bytes with the values of the secrets in their places.")]
    TooLarge,
}

/// Reads a stored configuration.
pub type Reader<'r> = &'r dyn Fn(&Json) -> Option<Value>;

/// The secret environment that a collector declares.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlace {
    texts: Texts,
}

/// The secrets inside the configuration of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigPlace {
    strategy: Texts,
    collectors: Vec<(String, Texts)>,
    names: BTreeSet<SecretName>,
}

/// Texts with what they are called, and the secrets that they refer to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Texts {
    texts: Vec<(String, String)>,
    names: BTreeSet<SecretName>,
    references: usize,
}

impl RunPlace {
    /// The place that a satellite names: a check that it is assigned to, and a collector of that,
    /// by the id of its entry or else by its `collectorId`.
    pub fn find(
        told: Option<&Configuration>,
        config: &str,
        collector: &str,
        read: Reader<'_>,
    ) -> Result<Self, PlaceError> {
        let check =
            assigned(told, config).ok_or_else(|| PlaceError::NotAssigned(config.to_owned()))?;
        let collectors = check.collectors.as_slice();
        let found = collectors
            .iter()
            .find(|entry| entry.id == collector)
            .or_else(|| collectors.iter().find(|entry| entry.collector_id == collector))
            .ok_or_else(|| PlaceError::NoCollector {
                collector: collector.to_owned(),
                config: config.to_owned(),
            })?;
        let settings =
            read(&found.config).ok_or_else(|| PlaceError::Unreadable(config.to_owned()))?;
        let declared =
            declared(&settings).ok_or_else(|| PlaceError::NothingDeclared(collector.to_owned()))?;
        let mut texts = Texts::default();
        for (name, text) in declared {
            texts.add(name.to_owned(), text)?;
        }
        Ok(Self { texts })
    }

    /// The secrets that it refers to.
    pub const fn names(&self) -> &BTreeSet<SecretName> {
        &self.texts.names
    }

    /// The environment, with `secrets` in their places.
    pub fn compose(&self, secrets: &Secrets) -> Result<Values, PlaceError> {
        self.texts.compose(secrets, &mut 0)
    }
}

impl ConfigPlace {
    /// The place that a satellite names: a check that it is assigned to. All texts in the
    /// configuration of its strategy and of its collectors that refer to a secret, but for the
    /// environments that collectors declare.
    pub fn find(
        told: Option<&Configuration>,
        config: &str,
        read: Reader<'_>,
    ) -> Result<Self, PlaceError> {
        let check = assigned(told, config)
            .ok_or_else(|| PlaceError::NotAssignedConfig(config.to_owned()))?;
        let read =
            |json: &Json| read(json).ok_or_else(|| PlaceError::Unreadable(config.to_owned()));
        let mut strategy = Texts::default();
        strategy.collect(&read(&check.config)?, "")?;
        let (mut collectors, mut references) = (Vec::new(), strategy.references);
        let mut names = strategy.names.clone();
        for entry in check.collectors.as_slice() {
            let mut settings = read(&entry.config)?;
            if let Value::Object(members) = &mut settings {
                members.retain(|(name, _)| name != SECRET_ENV);
            }
            let mut texts = Texts { references, ..Texts::default() };
            texts.collect(&settings, "")?;
            references = texts.references;
            names.extend(texts.names.iter().cloned());
            if names.len() > MAX_SECRET_NAMES {
                return Err(PlaceError::TooManyNames);
            }
            if !texts.texts.is_empty() {
                collectors.push((entry.id.clone(), texts));
            }
        }
        Ok(Self { strategy, collectors, names })
    }

    /// The secrets that it refers to.
    pub const fn names(&self) -> &BTreeSet<SecretName> {
        &self.names
    }

    /// The texts by their paths, with `secrets` in their places.
    pub fn compose(&self, secrets: &Secrets) -> Result<ConfigValues, PlaceError> {
        let mut bytes = 0;
        let strategy = self.strategy.compose(secrets, &mut bytes)?;
        let composed =
            |(id, texts): &(String, Texts)| Ok((id.clone(), texts.compose(secrets, &mut bytes)?));
        let collectors = self.collectors.iter().map(composed).collect::<Result<_, _>>()?;
        Ok(ConfigValues { strategy, collectors })
    }
}

impl Texts {
    /// A text called `name`, whether it refers to secrets or not.
    fn add(&mut self, name: String, text: &str) -> Result<(), PlaceError> {
        for piece in pieces(text) {
            let Piece::Secret(secret) = piece else { continue };
            self.references += 1;
            if self.references > MAX_SECRET_REFERENCES {
                return Err(PlaceError::TooManyReferences);
            }
            if self.names.contains(secret) {
                continue;
            }
            let secret = secret.parse().map_err(|_| {
                PlaceError::NotFound(secret.chars().take(MAX_SECRET_NAME_CHARS).collect())
            })?;
            self.names.insert(secret);
            if self.names.len() > MAX_SECRET_NAMES {
                return Err(PlaceError::TooManyNames);
            }
        }
        self.texts.push((name, text.to_owned()));
        Ok(())
    }

    /// The texts in `value` that refer to secrets, by their paths: `auth.password`,
    /// `targets[0].token`.
    fn collect(&mut self, value: &Value, path: &str) -> Result<(), PlaceError> {
        match value {
            Value::Text(text) if has_reference(text) => self.add(path.to_owned(), text),
            Value::Array(items) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(at, item)| self.collect(item, &format!("{path}[{at}]")))
            }
            Value::Object(members) => {
                members.iter().try_for_each(|(name, member)| match path.is_empty() {
                    true => self.collect(member, name),
                    false => self.collect(member, &format!("{path}.{name}")),
                })
            }
            Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// The texts with `secrets` in their places, which are not looked at again. `bytes` counts
    /// those of one answer.
    fn compose(&self, secrets: &Secrets, bytes: &mut usize) -> Result<Values, PlaceError> {
        let composed =
            |(name, text): &(String, String)| Ok((name.clone(), compose(text, secrets, bytes)?));
        self.texts.iter().map(composed).collect()
    }
}

fn compose(text: &str, secrets: &Secrets, bytes: &mut usize) -> Result<SecretValue, PlaceError> {
    let part = |piece| match piece {
        Piece::Literal(text) => Ok(text),
        Piece::Secret(name) => {
            let found = secrets.get(name).map(SecretValue::expose);
            found.ok_or_else(|| PlaceError::NotFound(name.to_owned()))
        }
    };
    let mut length = 0_usize;
    for piece in pieces(text) {
        length += part(piece)?.len();
        if length > MAX_SECRET_ANSWER {
            return Err(PlaceError::TooLarge);
        }
    }
    *bytes += length;
    if *bytes > MAX_SECRET_ANSWER {
        return Err(PlaceError::TooLarge);
    }
    // A text that grew would leave parts of it behind.
    let mut whole = String::with_capacity(length);
    for piece in pieces(text) {
        whole.push_str(part(piece)?);
    }
    Ok(SecretValue::new(whole))
}

fn assigned<'c>(told: Option<&'c Configuration>, config: &str) -> Option<&'c Check> {
    let check = config.parse::<CheckId>().ok()?;
    told?.of_check(check).map(|assigned| &*assigned.check)
}

/// The environment in a collector's settings: an object of texts, and not an empty one.
fn declared(settings: &Value) -> Option<Vec<(&str, &str)>> {
    let Value::Object(members) = settings.get(SECRET_ENV)? else { return None };
    let texts = members.iter().map(|(name, value)| Some((name.as_str(), value.as_text()?)));
    texts.collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())
}
