//! The one place where the app looks into JSON that it otherwise only passes on.

use groundcontrol_core::assignment::Value;
use groundcontrol_core::run::{FailedAssertion, Tools};
use regex::RegexBuilder;
use serde_json::json;
use serde_json_path::JsonPath;

/// Bytes that a pattern may take when it is compiled.
const MAX_PATTERN: usize = 1024 * 1024;

/// What `text` says; an error in words where it is no JSON.
pub fn parse(text: &str) -> Result<Value, String> {
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    Ok(value(json))
}

/// A JSON value as the core looks into it.
pub fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(bool),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(value).collect()),
        serde_json::Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, json)| (name, value(json))).collect())
        }
    }
}

/// The other way round.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(number) => whole(*number).map_or_else(|| json!(number), Into::into),
        Value::Text(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), json(value))).collect()
        }
    }
}

/// A whole number that is written without a fraction.
fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}

/// An assertion that failed, as it is kept.
pub fn of_failure(failed: &FailedAssertion) -> String {
    let mut shown = json!({
        "entryId": failed.entry_id,
        "field": failed.field,
        "operator": failed.operator,
    });
    if let Some(members) = shown.as_object_mut() {
        let values = [("expected", &failed.expected), ("actual", &failed.actual)];
        for (name, value) in values {
            if let Some(value) = value {
                members.insert(name.to_owned(), json(value));
            }
        }
        if let Some(reason) = &failed.reason {
            members.insert("reason".to_owned(), reason.clone().into());
        }
    }
    shown.to_string()
}

/// What judging needs.
pub struct JsonTools;

impl Tools for JsonTools {
    fn parse(&self, text: &str) -> Result<Value, String> {
        parse(text)
    }

    fn find(&self, path: &str, within: &Value) -> Result<Option<Value>, String> {
        let path = JsonPath::parse(path).map_err(|error| format!("no JSON path: {error}"))?;
        let within = json(within);
        Ok(path.query(&within).first().cloned().map(value))
    }

    fn matches(&self, pattern: &str, text: &str) -> Result<bool, String> {
        let pattern = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
        let pattern = pattern.map_err(|error| format!("no regular expression: {error}"))?;
        Ok(pattern.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_a_round_trip_and_whole_numbers_stay_whole() {
        let text = r#"{"a":[1,2.5,-3,true,null,"x"],"b":{}}"#;
        assert_eq!(json(&parse(text).unwrap()).to_string(), text);
    }

    #[test]
    fn a_path_finds_the_first_of_what_it_selects() {
        let within = parse(r#"{"items":[{"n":1},{"n":2}]}"#).unwrap();
        assert_eq!(JsonTools.find("$.items[1].n", &within), Ok(Some(Value::Number(2.0))));
        assert_eq!(JsonTools.find("$.items[*].n", &within), Ok(Some(Value::Number(1.0))));
        assert_eq!(JsonTools.find("$.none", &within), Ok(None));
        assert!(JsonTools.find("items[", &within).is_err());
    }

    #[test]
    fn a_pattern_that_is_none_says_so() {
        assert_eq!(JsonTools.matches("^a+$", "aaa"), Ok(true));
        assert_eq!(JsonTools.matches("b", "aaa"), Ok(false));
        assert!(JsonTools.matches("(", "a").unwrap_err().starts_with("no regular expression"));
        assert!(JsonTools.matches("(a{1000}){1000}", "a").is_err());
    }
}
