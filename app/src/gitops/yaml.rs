//! From YAML to JSON values that know where they stood.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter as _, Options, Spanned};

/// Documents of one file.
const MAX_DOCUMENTS: usize = 20_000;
/// Values of one file, aliases written out.
const MAX_NODES: usize = 2_000_000;
/// Levels of one document.
const MAX_DEPTH: usize = 64;
/// Values that all aliases of one file together stand for: more is no document but an attack.
const MAX_FROM_ALIASES: usize = 100_000;

/// One document of a file.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// What it says.
    pub(super) value: Value,
    /// By path, as `spec.ports[0]`, the line where a value stands. The whole has the empty path.
    lines: BTreeMap<String, u64>,
}

impl Document {
    /// The line of what stands at `path`, or of the nearest around it.
    pub(super) fn line(&self, path: &str) -> u64 {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            path = match path.rfind(['.', '[']) {
                Some(end) => &path[..end],
                None if path.is_empty() => return 0,
                None => "",
            };
        }
    }
}

/// The documents in `text`; empty ones and comments are none. On failure the line and what is
/// wrong there.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, (u64, String)> {
    let nodes: Vec<Node> =
        serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| {
            let line = error.location().map_or(0, |place| place.line());
            let detail = DefaultMessageFormatter.format_message(error.without_snippet());
            (line, detail.into_owned())
        })?;
    Ok(nodes.into_iter().map(Node::document).collect())
}

fn options() -> Options {
    serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_depth: MAX_DEPTH,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_FROM_ALIASES,
        },
    }
}

/// A value with its place.
#[derive(Deserialize)]
#[serde(transparent)]
struct Node(Spanned<Plain>);

enum Plain {
    Leaf(Value),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl Node {
    fn document(self) -> Document {
        let mut lines = BTreeMap::from([(String::new(), self.0.referenced.line())]);
        let value = self.value("", &mut lines);
        Document { value, lines }
    }

    fn value(self, path: &str, lines: &mut BTreeMap<String, u64>) -> Value {
        match self.0.value {
            Plain::Leaf(value) => value,
            Plain::List(items) => {
                let item = |(at, node): (usize, Self)| {
                    let path = format!("{path}[{at}]");
                    lines.insert(path.clone(), node.0.referenced.line());
                    node.value(&path, lines)
                };
                items.into_iter().enumerate().map(item).collect()
            }
            Plain::Map(members) => {
                let member = |(key, node): (Spanned<String>, Self)| {
                    let dot = if path.is_empty() { "" } else { "." };
                    let path = format!("{path}{dot}{}", key.value);
                    lines.insert(path.clone(), key.referenced.line());
                    (key.value, node.value(&path, lines))
                };
                Value::Object(members.into_iter().map(member).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyYaml)
    }
}

struct AnyYaml;

impl<'de> Visitor<'de> for AnyYaml {
    type Value = Plain;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
        Ok(Plain::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Plain, E> {
        Ok(Plain::Leaf(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Plain, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.map(Plain::Leaf).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Plain, E> {
        Ok(Plain::Leaf(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Plain, E> {
        Ok(Plain::Leaf(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain::Leaf(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Plain, E> {
        Ok(Plain::Leaf(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain, D::Error> {
        Plain::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Plain::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Plain, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry()? {
            map.push(member);
        }
        Ok(Plain::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let text = "# first\na: 1\nb:\n  - x\n  - c:\n      d: true\n---\ne: null\n";
        let found = documents(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].value.to_string(), r#"{"a":1,"b":["x",{"c":{"d":true}}]}"#);
        let lines = ["a", "b", "b[0]", "b[1].c.d"].map(|path| found[0].line(path));
        assert_eq!(lines, [2, 3, 4, 6]);
        assert_eq!(found[0].line("b[1].c.unknown"), 5);
        assert_eq!((found[1].line("e"), found[1].value["e"].clone()), (8, Value::Null));
    }

    #[test]
    fn what_says_nothing_is_no_document() {
        for text in ["", "# only this\n", "---\n---\n", "---\n# a\n...\n", "\n \n"] {
            assert_eq!(documents(text).unwrap().len(), 0, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_named_with_its_line() {
        let (line, detail) = documents("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!((2..=4).contains(&line), "line {line}: {detail}");
        let (line, detail) = documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!(line, 2, "{detail}");
        assert!(detail.contains("duplicate"), "{detail}");
    }

    #[test]
    fn aliases_that_explode_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let last = level - 1;
            let ten = vec![format!("*a{last}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{ten}]\n"));
        }
        assert!(documents(&text).is_err());
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let deep = format!("a: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
        assert!(documents(&deep).is_err());
    }

    #[test]
    fn a_number_that_json_lacks_is_refused() {
        assert!(documents("a: .nan\n").is_err());
    }
}
