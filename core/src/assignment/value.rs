//! A JSON-like value, for the rules that must look into one: references to secrets, assertions.

/// What a JSON text says. Adapters and the app fill it; the core reads no JSON.
///
/// ```
/// use groundcontrol_core::assignment::Value;
/// let config = Value::Object(vec![("port".into(), Value::Number(443.0))]);
/// assert_eq!(config.get("port"), Some(&Value::Number(443.0)));
/// assert_eq!(config.get("host"), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number; whole ones beyond 2⁵³ lose their last digits.
    Number(f64),
    /// Text.
    Text(String),
    /// Values in order.
    Array(Vec<Value>),
    /// Members in order. Of two with one name the last counts.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member called `name`; none where this is no object, or has none.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Array(_) => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let twice = vec![("a".to_owned(), Value::Null), ("a".to_owned(), Value::Bool(true))];
        assert_eq!(Value::Object(twice).get("a"), Some(&Value::Bool(true)));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        assert_eq!(Value::Text("a".into()).get("a"), None);
    }

    #[test]
    fn only_text_is_text() {
        assert_eq!(Value::Text("a".into()).as_text(), Some("a"));
        for other in [Value::Null, Value::Bool(true), Value::Number(1.0), Value::Array(vec![])] {
            assert_eq!(other.as_text(), None, "{other:?}");
        }
    }
}
