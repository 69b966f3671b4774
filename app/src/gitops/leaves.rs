//! JSON as its leaves, for comparing and showing.

use groundcontrol_core::assignment::Json;
use groundcontrol_core::desired::Leaves;
use serde_json::Value;

/// [`Leaves`] by way of `serde_json`.
pub struct JsonLeaves;

impl Leaves for JsonLeaves {
    fn of(&self, json: &Json) -> Vec<(String, String)> {
        let mut leaves = Vec::new();
        match serde_json::from_str(json.as_str()) {
            Ok(value) => add(String::new(), &value, &mut leaves),
            Err(_) => leaves.push((String::new(), json.as_str().to_owned())),
        }
        leaves
    }
}

fn add(path: String, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                add(format!("{path}.{}", step(name)), value, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                add(format!("{path}[{at}]"), value, leaves);
            }
        }
        leaf => leaves.push((path, leaf.to_string())),
    }
}

/// A name as a part of a path: in quotes where it could be taken for something else.
fn step(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &str) -> String {
        let pairs = JsonLeaves.of(&Json::trusted(text));
        let pairs: Vec<_> = pairs.iter().map(|(path, value)| format!("{path}={value}")).collect();
        pairs.join(" ")
    }

    #[test]
    fn what_means_the_same_has_the_same_leaves() {
        let spread = "{ \"b\": [1, {\"c\": null}],\n \"a\": {} }";
        assert_eq!(leaves(spread), leaves(r#"{"a":{},"b":[1,{"c":null}]}"#));
        assert_eq!(leaves(spread), ".a={} .b[0]=1 .b[1].c=null");
    }

    #[test]
    fn what_does_not_mean_the_same_has_others() {
        let texts = [
            "{}",
            "[]",
            "null",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a.b":1}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":[1]}"#,
            r#"{"a[0]":1}"#,
            r#"{"a":{}}"#,
            r#"{"a":[]}"#,
            "9007199254740993",
            "9007199254740992",
        ];
        let all: std::collections::BTreeSet<_> = texts.iter().map(|text| leaves(text)).collect();
        assert_eq!(all.len(), texts.len(), "{all:?}");
    }
}
