//! Secrets in a job's settings: which must be asked for, and filling them in.

use std::collections::BTreeMap;

use groundcontrol_core::secrets::{Piece, has_reference, pieces};
use groundcontrol_probes::{Check, Config, Entry};
use groundcontrol_websocket::wire::{ConfigSecrets, RunSecrets};
use secrecy::SecretString;
use serde_json::Value;
use zeroize::Zeroize as _;

use super::desk::NoAnswer;
use super::job::Job;

/// The member of a collector's settings that is asked for by itself, for one run.
const SECRET_ENV: &str = "secretEnv";

/// Why a run cannot have its secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    /// The server refused.
    #[error("the server did not deliver secrets: {0}")]
    Refused(String),
    /// The server said nothing, or something else.
    #[error("no secrets were delivered: {0}")]
    NoAnswer(#[from] NoAnswer),
    /// A value is missing in an answer.
    #[error("the server delivered no value for {0}")]
    Missing(String),
    /// The settings are no JSON.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
}

/// What a job asks for: a check without its secrets.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) check: Check,
    /// Whether any of its settings refers to a secret.
    pub(crate) config_secrets: bool,
    /// The entries of collectors that declare an environment of secrets.
    pub(crate) run_secrets: Vec<String>,
}

/// The check that `job` asks for.
pub(crate) fn draft(job: &Job) -> Result<Draft, SecretError> {
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|why| SecretError::Unreadable(why.to_string()))
    };
    let config: Value = read(job.config.get())?;
    let mut config_secrets = refers(&config);
    let mut run_secrets = Vec::new();
    let mut collectors = Vec::new();
    for collector in &job.collectors {
        let mut config: Value = read(collector.config.get())?;
        let declared = config.as_object_mut().and_then(|fields| fields.remove(SECRET_ENV));
        if declared.as_ref().is_some_and(declares) {
            run_secrets.push(collector.id.clone());
        }
        config_secrets |= refers(&config);
        collectors.push(Entry {
            id: collector.id.clone(),
            collector: collector.collector.clone(),
            config: Config::new(config),
            secret_env: BTreeMap::new(),
        });
    }
    let config = Config::new(config);
    let check = Check { strategy: job.strategy.clone(), config, collectors, hidden: Vec::new() };
    Ok(Draft { check, config_secrets, run_secrets })
}

impl Draft {
    /// Fills in the environment of one collector.
    pub(crate) fn fill_run(&mut self, entry: &str, answer: RunSecrets) -> Result<(), SecretError> {
        if let Some(error) = answer.error {
            return Err(SecretError::Refused(error));
        }
        let env = answer.env.ok_or_else(|| SecretError::Missing(SECRET_ENV.to_owned()))?;
        let found = self.check.collectors.iter_mut().find(|collector| collector.id == entry);
        if let Some(collector) = found {
            let secret = |value: &str| SecretString::from(value);
            collector.secret_env =
                env.iter().map(|(name, value)| (name.clone(), secret(value.expose()))).collect();
        }
        Ok(())
    }

    /// Fills in what the settings refer to.
    pub(crate) fn fill_config(&mut self, answer: &ConfigSecrets) -> Result<(), SecretError> {
        if let Some(error) = &answer.error {
            return Err(SecretError::Refused(error.clone()));
        }
        let none = BTreeMap::new();
        let hidden = &mut self.check.hidden;
        let value = |values: &BTreeMap<String, _>, path: &str| -> Option<SecretString> {
            values.get(path).map(|value: &groundcontrol_websocket::wire::SecretText| {
                SecretString::from(value.expose())
            })
        };
        let strategy = answer.strategy.as_ref().unwrap_or(&none);
        fill(self.check.config.get_mut(), "", &|path| value(strategy, path), hidden)?;
        for collector in &mut self.check.collectors {
            let delivered = answer.collectors.as_ref().and_then(|all| all.get(&collector.id));
            let delivered = delivered.unwrap_or(&none);
            fill(collector.config.get_mut(), "", &|path| value(delivered, path), hidden)?;
        }
        Ok(())
    }
}

/// An object of texts, and not an empty one.
fn declares(env: &Value) -> bool {
    env.as_object().is_some_and(|names| !names.is_empty() && names.values().all(Value::is_string))
}

fn refers(value: &Value) -> bool {
    match value {
        Value::String(text) => has_reference(text),
        Value::Array(items) => items.iter().any(refers),
        Value::Object(fields) => fields.values().any(refers),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Replaces each text below `path` that refers to a secret by what was delivered for it.
fn fill(
    value: &mut Value,
    path: &str,
    delivered: &dyn Fn(&str) -> Option<SecretString>,
    hidden: &mut Vec<SecretString>,
) -> Result<(), SecretError> {
    use secrecy::ExposeSecret as _;
    match value {
        Value::String(text) if has_reference(text) => {
            let missing = || SecretError::Missing(path.to_owned());
            let filled = delivered(path).ok_or_else(missing)?;
            hidden.extend(parts(text, filled.expose_secret()));
            text.zeroize();
            text.push_str(filled.expose_secret());
            hidden.push(filled);
            Ok(())
        }
        Value::Array(items) => {
            let mut items = items.iter_mut().enumerate();
            items.try_for_each(|(at, item)| fill(item, &format!("{path}[{at}]"), delivered, hidden))
        }
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fill(field, &path, delivered, hidden)
        }),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The secrets themselves in a text that was filled in: a target may repeat the key alone, where
/// `Bearer` stood before it.
fn parts(template: &str, filled: &str) -> Vec<SecretString> {
    let pieces: Vec<Piece<'_>> = pieces(template).collect();
    let mut found = Vec::new();
    let mut rest = filled;
    for (at, piece) in pieces.iter().enumerate() {
        match (piece, pieces.get(at + 1)) {
            (Piece::Literal(literal), _) => {
                let Some(after) = rest.strip_prefix(literal) else { break };
                rest = after;
            }
            (Piece::Secret(_), None) => found.push(SecretString::from(rest)),
            (Piece::Secret(_), Some(Piece::Literal(literal))) => {
                let last = at + 2 == pieces.len();
                let end = if last { rest.rfind(literal) } else { rest.find(literal) };
                let Some(end) = end else { break };
                found.push(SecretString::from(&rest[..end]));
                rest = &rest[end..];
            }
            // Nothing says where one ends and the next begins: the whole text is hidden.
            (Piece::Secret(_), Some(Piece::Secret(_))) => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use groundcontrol_websocket::wire::{Opaque, SecretText};
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::super::job::Collector;
    use super::*;

    fn job(config: Value, collectors: &[(&str, Value)]) -> Job {
        let collectors = collectors.iter().map(|(id, config)| Collector {
            id: (*id).to_owned(),
            collector: "execute".to_owned(),
            config: Opaque::of(config).unwrap(),
        });
        Job {
            config_id: "c".into(),
            system_id: "s".into(),
            strategy: "http".into(),
            config: Opaque::of(&config).unwrap(),
            collectors: collectors.collect(),
        }
    }

    fn secrets(values: &[(&str, &str)]) -> BTreeMap<String, SecretText> {
        values.iter().map(|&(path, value)| (path.to_owned(), SecretText::new(value))).collect()
    }

    fn hidden(draft: &Draft) -> Vec<&str> {
        draft.check.hidden.iter().map(|secret| secret.expose_secret()).collect()
    }

    #[test]
    fn only_what_refers_to_secrets_asks_for_them() {
        let plain = draft(&job(json!({"a": "x"}), &[("e", json!({"secretEnv": {}}))])).unwrap();
        assert!(!plain.config_secrets && plain.run_secrets.is_empty());
        let env = json!({"secretEnv": {"A": "${{ secrets.A }}"}});
        let script = draft(&job(json!({}), &[("e", env)])).unwrap();
        assert!(!script.config_secrets, "an environment is asked for by itself");
        assert_eq!(script.run_secrets, ["e"]);
        let deep = json!({"a": [{"b": "${{ secrets.A }}"}]});
        assert!(draft(&job(deep, &[])).unwrap().config_secrets);
        let odd = json!({"secretEnv": {"A": 1}});
        assert!(draft(&job(json!({}), &[("e", odd)])).unwrap().run_secrets.is_empty());
    }

    #[test]
    fn values_are_filled_in_at_their_paths() {
        let config = json!({"auth": {"password": "${{ secrets.P }}"}, "n": 1});
        let collector = json!({"targets": [{"token": "Bearer ${{ secrets.T }}"}]});
        let mut draft = draft(&job(config, &[("e1", collector)])).unwrap();
        let answer = ConfigSecrets {
            request_id: "r".into(),
            strategy: Some(secrets(&[("auth.password", "hush")])),
            collectors: Some(BTreeMap::from([(
                "e1".to_owned(),
                secrets(&[("targets[0].token", "Bearer key")]),
            )])),
            error: None,
        };
        draft.fill_config(&answer).unwrap();
        assert_eq!(*draft.check.config.get(), json!({"auth": {"password": "hush"}, "n": 1}));
        let collector = draft.check.collectors[0].config.get();
        assert_eq!(*collector, json!({"targets": [{"token": "Bearer key"}]}));
        assert_eq!(hidden(&draft), ["hush", "hush", "key", "Bearer key"]);
    }

    #[test]
    fn a_value_that_was_not_delivered_and_a_refusal_are_told() {
        let mut draft = draft(&job(json!({"a": "${{ secrets.A }}"}), &[])).unwrap();
        let mut answer =
            ConfigSecrets { request_id: "r".into(), strategy: None, collectors: None, error: None };
        assert_eq!(draft.fill_config(&answer), Err(SecretError::Missing("a".into())));
        answer.error = Some("Secret not found: A".into());
        let refused = SecretError::Refused("Secret not found: A".into());
        assert_eq!(draft.fill_config(&answer), Err(refused));
    }

    #[test]
    fn what_was_filled_in_is_no_template_again() {
        let mut draft = draft(&job(json!({"a": "${{ secrets.A }}"}), &[])).unwrap();
        let value = "${{ secrets.B }}";
        let answer = ConfigSecrets {
            request_id: "r".into(),
            strategy: Some(secrets(&[("a", value)])),
            collectors: None,
            error: None,
        };
        draft.fill_config(&answer).unwrap();
        assert_eq!(*draft.check.config.get(), json!({"a": value}));
    }

    #[test]
    fn secrets_are_told_from_what_stands_around_them() {
        let parts = |template: &str, filled: &str| -> Vec<String> {
            parts(template, filled).iter().map(|part| part.expose_secret().to_owned()).collect()
        };
        assert_eq!(parts("${{ secrets.A }}", "k"), ["k"]);
        assert_eq!(parts("u:${{ secrets.A }}@h", "u:p@ss@h"), ["p@ss"]);
        assert_eq!(parts("${{ secrets.A }}:${{ secrets.B }}", "a:b"), ["a", "b"]);
        assert_eq!(parts("${{ secrets.A }}${{ secrets.B }}", "ab"), [""; 0]);
    }
}
