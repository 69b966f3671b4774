//! Whether what collectors found is as a check's assertions demand.

use crate::assignment::{Assertion, Collector, Value};

/// What judging needs that the core does not have.
pub trait Tools {
    /// The JSON that `text` is.
    fn parse(&self, text: &str) -> Result<Value, String>;

    /// What the path (RFC 9535) finds first in `value`; none where it finds nothing.
    fn find(&self, path: &str, value: &Value) -> Result<Option<Value>, String>;

    /// Whether the regular expression matches somewhere in `text`, in linear time.
    fn matches(&self, pattern: &str, text: &str) -> Result<bool, String>;
}

/// The first assertion that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedAssertion {
    /// The collector's entry.
    pub entry_id: String,
    /// The field.
    pub field: String,
    /// The operator.
    pub operator: String,
    /// What it was compared with.
    pub expected: Option<Value>,
    /// What was found; none where nothing was.
    pub actual: Option<Value>,
    /// Why it could not be judged, where that is the reason.
    pub reason: Option<String>,
}

/// The first of the collectors' assertions that does not hold of `result`, as the agent sent it.
pub fn judge(
    collectors: &[Collector],
    result: Option<&Value>,
    tools: &dyn Tools,
) -> Option<FailedAssertion> {
    let found = result.and_then(|result| result.get("metadata")?.get("collectors"));
    collectors.iter().find_map(|collector| {
        let entry = found.and_then(|found| found.get(&collector.id));
        collector.assertions.iter().find_map(|assertion| {
            judge_one(entry, assertion, tools)
                .err()
                .map(|failed| FailedAssertion { entry_id: collector.id.clone(), ..*failed })
        })
    })
}

fn judge_one(
    entry: Option<&Value>,
    assertion: &Assertion,
    tools: &dyn Tools,
) -> Result<(), Box<FailedAssertion>> {
    let failed = |expected: Option<Value>, actual: Option<Value>, reason: Option<String>| {
        Box::new(FailedAssertion {
            entry_id: String::new(),
            field: assertion.field.clone(),
            operator: assertion.operator.clone(),
            expected,
            actual,
            reason,
        })
    };
    let expected = match assertion.value.as_ref().map(|json| tools.parse(json.as_str())) {
        Some(Ok(value)) => Some(value),
        Some(Err(why)) => return Err(failed(None, None, Some(why))),
        None => None,
    };
    let actual = match value_of(entry, assertion, tools) {
        Ok(actual) => actual.filter(|value| *value != Value::Null),
        Err(why) => return Err(failed(expected, None, Some(why))),
    };
    match holds(&assertion.operator, actual.as_ref(), expected.as_ref(), tools) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed(expected, actual, None)),
        Err(why) => Err(failed(expected, actual, Some(why))),
    }
}

/// The field's value, or what the path finds in the field parsed as JSON.
fn value_of(
    entry: Option<&Value>,
    assertion: &Assertion,
    tools: &dyn Tools,
) -> Result<Option<Value>, String> {
    let field = entry.and_then(|entry| entry.get(&assertion.field)).cloned();
    let Some(path) = &assertion.json_path else { return Ok(field) };
    let parsed = match field {
        None => return Ok(None),
        Some(Value::Text(text)) => tools.parse(&text).map_err(|why| format!("the field: {why}"))?,
        Some(other) => other,
    };
    tools.find(path, &parsed)
}

fn holds(
    operator: &str,
    actual: Option<&Value>,
    expected: Option<&Value>,
    tools: &dyn Tools,
) -> Result<bool, String> {
    match operator {
        "exists" => return Ok(actual.is_some()),
        "notExists" => return Ok(actual.is_none()),
        _ => {}
    }
    if !OPERATORS.contains(&operator) {
        return Err(format!("unknown operator {operator:?}"));
    }
    let Some(actual) = actual else { return Err("there is no such field".to_owned()) };
    match operator {
        "isTrue" => Ok(*actual == Value::Bool(true)),
        "isFalse" => Ok(*actual == Value::Bool(false)),
        "isEmpty" => is_empty(actual),
        "isNotEmpty" => is_empty(actual).map(|empty| !empty),
        _ => {
            let expected = expected.ok_or("there is no value to compare with")?;
            compares(operator, actual, expected, tools)
        }
    }
}

const OPERATORS: &[&str] = &[
    "isTrue",
    "isFalse",
    "isEmpty",
    "isNotEmpty",
    "equals",
    "notEquals",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "includes",
    "notIncludes",
    "lengthEquals",
    "lengthGreaterThan",
    "lengthLessThan",
];

fn compares(
    operator: &str,
    actual: &Value,
    expected: &Value,
    tools: &dyn Tools,
) -> Result<bool, String> {
    match operator {
        "equals" => Ok(same(actual, expected)),
        "notEquals" => Ok(!same(actual, expected)),
        "contains" => Ok(text(actual)?.contains(&text(expected)?)),
        "startsWith" => Ok(text(actual)?.starts_with(&text(expected)?)),
        "endsWith" => Ok(text(actual)?.ends_with(&text(expected)?)),
        "matches" => tools.matches(&text(expected)?, &text(actual)?),
        "lessThan" => Ok(number(actual)? < number(expected)?),
        "lessThanOrEqual" => Ok(number(actual)? <= number(expected)?),
        "greaterThan" => Ok(number(actual)? > number(expected)?),
        "greaterThanOrEqual" => Ok(number(actual)? >= number(expected)?),
        "includes" => Ok(items(actual)?.iter().any(|item| same(item, expected))),
        "notIncludes" => Ok(!items(actual)?.iter().any(|item| same(item, expected))),
        "lengthEquals" => Ok(length(actual)? == number(expected)?),
        "lengthGreaterThan" => Ok(length(actual)? > number(expected)?),
        "lengthLessThan" => Ok(length(actual)? < number(expected)?),
        _ => Err(format!("unknown operator {operator:?}")),
    }
}

/// Numbers as numbers, everything else as text.
fn same(one: &Value, two: &Value) -> bool {
    match (number(one), number(two)) {
        (Ok(one), Ok(two)) => one == two,
        _ => match (text(one), text(two)) {
            (Ok(one), Ok(two)) => one == two,
            _ => one == two,
        },
    }
}

fn number(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.ok_or_else(|| "not a number".to_owned())
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(bool) => Ok(bool.to_string()),
        Value::Null => Ok("null".to_owned()),
        Value::Array(_) | Value::Object(_) => Err("neither text nor a number".to_owned()),
    }
}

fn items(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err("not an array".to_owned()),
    }
}

fn length(value: &Value) -> Result<f64, String> {
    items(value).map(|items| items.len() as f64)
}

fn is_empty(value: &Value) -> Result<bool, String> {
    match value {
        Value::Text(text) => Ok(text.trim().is_empty()),
        Value::Array(items) => Ok(items.is_empty()),
        _ => Err("neither text nor an array".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::Json;

    /// Knows the texts of these tests.
    struct Few;

    impl Tools for Few {
        fn parse(&self, text: &str) -> Result<Value, String> {
            match text {
                "[]" => Ok(Value::Array(vec![])),
                "[1]" => Ok(Value::Array(vec![Value::Number(1.0)])),
                text if text.starts_with('"') => Ok(Value::Text(text.trim_matches('"').into())),
                text => text.parse().map(Value::Number).map_err(|_| "no JSON".into()),
            }
        }

        fn find(&self, path: &str, value: &Value) -> Result<Option<Value>, String> {
            match path {
                "$" => Ok(Some(value.clone())),
                "$.none" => Ok(None),
                _ => Err("no path".into()),
            }
        }

        fn matches(&self, pattern: &str, text: &str) -> Result<bool, String> {
            if pattern == "(" { Err("no pattern".into()) } else { Ok(text.contains(pattern)) }
        }
    }

    fn failure(operator: &str, field: Value, value: Option<&str>) -> Option<FailedAssertion> {
        failure_at(None, operator, field, value)
    }

    fn failure_at(
        path: Option<&str>,
        operator: &str,
        field: Value,
        value: Option<&str>,
    ) -> Option<FailedAssertion> {
        let assertion = Assertion {
            field: "f".into(),
            json_path: path.map(str::to_owned),
            operator: operator.into(),
            value: value.map(Json::trusted),
        };
        let collector = Collector {
            id: "c".into(),
            collector_id: "x".into(),
            config: Json::empty_object(),
            assertions: vec![assertion],
        };
        let object = |name: &str, value| Value::Object(vec![(name.to_owned(), value)]);
        let result = object("metadata", object("collectors", object("c", object("f", field))));
        judge(&[collector], Some(&result), &Few)
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn every_operator_holds_and_fails() {
        let (yes, no) = (Value::Bool(true), Value::Bool(false));
        let some = Value::Array(vec![Value::Number(1.0)]);
        let none = Value::Array(vec![]);
        let one = Value::Number(1.0);
        let cases = [
            ("exists", None, yes.clone(), Value::Null),
            ("notExists", None, Value::Null, yes.clone()),
            ("isTrue", None, yes.clone(), no.clone()),
            ("isFalse", None, no, yes),
            ("equals", Some("1.0"), text("1"), text("1.1")),
            ("equals", Some("\"a\""), text("a"), text("b")),
            ("equals", Some("[1]"), some.clone(), none.clone()),
            ("equals", Some("1"), text("1.00"), text("1.01")),
            ("equals", Some("\"true\""), Value::Bool(true), Value::Bool(false)),
            ("notEquals", Some("1"), text("2"), one.clone()),
            ("contains", Some("\"a\""), text("bab"), text("b")),
            ("startsWith", Some("\"a\""), text("ab"), text("ba")),
            ("endsWith", Some("\"a\""), text("ba"), text("ab")),
            ("matches", Some("\"a\""), text("a"), text("b")),
            ("lessThan", Some("2"), one.clone(), text("2")),
            ("lessThanOrEqual", Some("1"), one.clone(), text("2")),
            ("greaterThan", Some("1"), text("2"), one.clone()),
            ("greaterThanOrEqual", Some("1"), one.clone(), text("0.5")),
            ("isEmpty", None, text(" "), text("a")),
            ("isNotEmpty", None, some.clone(), none.clone()),
            ("includes", Some("1"), some.clone(), none.clone()),
            ("notIncludes", Some("1"), none.clone(), some.clone()),
            ("lengthEquals", Some("1"), some.clone(), none.clone()),
            ("lengthGreaterThan", Some("0"), some.clone(), none.clone()),
            ("lengthLessThan", Some("1"), none, some),
        ];
        for (operator, value, holds, fails) in cases {
            assert_eq!(failure(operator, holds, value), None, "{operator}");
            let failed = failure(operator, fails, value).expect(operator);
            assert_eq!((failed.entry_id.as_str(), failed.field.as_str()), ("c", "f"));
        }
        assert_eq!(OPERATORS.len() + 2, 21);
    }

    #[test]
    fn what_cannot_be_judged_fails_and_says_why() {
        let reason = |failed: Option<FailedAssertion>| failed.and_then(|failed| failed.reason);
        let cases = [
            (failure("is", text("a"), None), "unknown operator \"is\""),
            (failure("equals", Value::Null, Some("1")), "there is no such field"),
            (failure("equals", text("a"), None), "there is no value to compare with"),
            (failure("matches", text("a"), Some("\"(\"")), "no pattern"),
            (failure("lessThan", text("a"), Some("1")), "not a number"),
            (failure("includes", text("a"), Some("1")), "not an array"),
            (failure_at(Some("$["), "exists", text("1"), None), "no path"),
            (failure_at(Some("$"), "exists", text("{"), None), "the field: no JSON"),
        ];
        for (failed, why) in cases {
            assert_eq!(reason(failed).as_deref(), Some(why));
        }
    }

    #[test]
    fn a_path_looks_into_a_field_that_is_json() {
        assert_eq!(failure_at(Some("$"), "equals", text("7"), Some("7")), None);
        assert!(failure_at(Some("$.none"), "exists", text("7"), None).is_some());
    }

    #[test]
    fn without_a_result_whatever_demands_something_fails() {
        let collector = Collector {
            id: "c".into(),
            collector_id: "x".into(),
            config: Json::empty_object(),
            assertions: vec![Assertion {
                field: "f".into(),
                json_path: None,
                operator: "exists".into(),
                value: None,
            }],
        };
        assert!(judge(std::slice::from_ref(&collector), None, &Few).is_some());
    }
}
