//! What is to be checked.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde_json::Value;
use zeroize::Zeroize as _;

/// One check, with all that it needs to know.
#[derive(Debug)]
pub struct Check {
    /// How to connect: a strategy's name, `healthcheck-http.http` or `http`.
    pub strategy: String,
    /// The strategy's settings, its secrets filled in.
    pub config: Config,
    /// What to look at once connected.
    pub collectors: Vec<Entry>,
    /// Texts that no report may show: what was filled into `config` and those of the collectors.
    pub hidden: Vec<SecretString>,
}

/// One thing to look at.
#[derive(Debug)]
pub struct Entry {
    /// The entry's id: where a report shows what was found.
    pub id: String,
    /// What kind of collector it is: `healthcheck-http.request` or `request`.
    pub collector: String,
    /// The collector's settings, its secrets filled in.
    pub config: Config,
    /// The environment that only this run of a script is given. No report shows its values.
    pub secret_env: BTreeMap<String, SecretString>,
}

/// Settings that may hold secrets: printed as their size, and wiped from memory when dropped.
#[derive(Clone, PartialEq, Default)]
pub struct Config(Value);

impl Config {
    /// The settings in `value`.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The settings.
    pub fn get(&self) -> &Value {
        &self.0
    }

    /// The settings, to fill secrets in.
    pub fn get_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Object(fields) => write!(f, "Config({} fields)", fields.len()),
            _ => f.write_str("Config(no object)"),
        }
    }
}

impl Check {
    /// Every text that a report must hide.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &SecretString> {
        let environments = self.collectors.iter().flat_map(|entry| entry.secret_env.values());
        self.hidden.iter().chain(environments)
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn printed_settings_show_no_value() {
        let config = Config::new(json!({"password": "hush"}));
        assert_eq!(format!("{config:?}"), "Config(1 fields)");
    }

    #[test]
    fn wiping_reaches_every_text_at_any_depth() {
        let mut value = json!({"a": [{"b": "hush"}, 1], "c": "hush"});
        wipe(&mut value);
        assert_eq!(value, json!({"a": [{"b": ""}, 1], "c": ""}));
    }
}
