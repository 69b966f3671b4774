//! Hides secrets in whatever a check prints.

use std::ops::Range;

use memchr::memmem::Finder;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// What stands where a secret was.
const MASK: &str = "***";

/// Finds secrets in bytes and texts. It borrows them and keeps no copy.
pub(crate) struct Masker<'a> {
    finders: Vec<Finder<'a>>,
}

impl<'a> Masker<'a> {
    /// Hides `secrets`, and each of their lines by itself: a key in PEM form is rarely printed in
    /// one piece.
    pub(crate) fn new(secrets: impl Iterator<Item = &'a SecretString>) -> Self {
        let mut texts: Vec<&str> = secrets
            .map(|secret| secret.expose_secret())
            .flat_map(|secret| [secret, secret.trim()].into_iter().chain(secret.lines()))
            .filter(|text| !text.trim().is_empty())
            .collect();
        texts.sort_unstable();
        texts.dedup();
        Self { finders: texts.into_iter().map(Finder::new).collect() }
    }

    /// The length of the longest text that is hidden.
    pub(crate) fn longest(&self) -> usize {
        self.finders.iter().map(|finder| finder.needle().len()).max().unwrap_or(0)
    }

    /// The text in `bytes` before `end`, without secrets: those that begin before `end` are
    /// hidden as a whole. What is no UTF-8 is replaced.
    pub(crate) fn text(&self, bytes: &[u8], end: usize) -> String {
        let end = end.min(bytes.len());
        let mut shown = String::new();
        let mut at = 0;
        for secret in self.secrets(bytes).into_iter().take_while(|secret| secret.start < end) {
            shown.push_str(&String::from_utf8_lossy(&bytes[at..secret.start]));
            shown.push_str(MASK);
            at = secret.end;
        }
        if at < end {
            shown.push_str(&String::from_utf8_lossy(&bytes[at..end]));
        }
        shown
    }

    /// Hides secrets in every text of `value`, names of fields included.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|field| self.value(field));
                let shown = |name: &str| self.text(name.as_bytes(), usize::MAX);
                if fields.keys().any(|name| *name != shown(name)) {
                    *fields = std::mem::take(fields)
                        .into_iter()
                        .map(|(name, field)| (shown(&name), field))
                        .collect();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn string(&self, text: &mut String) {
        if self.finders.iter().any(|finder| finder.find(text.as_bytes()).is_some()) {
            *text = self.text(text.as_bytes(), usize::MAX);
        }
    }

    /// Where secrets are: every occurrence, in order, those that overlap joined into one.
    fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> =
            self.finders.iter().flat_map(|finder| occurrences(finder, bytes)).collect();
        found.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match joined.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }
}

/// Every occurrence, also of a text that overlaps itself; runs that overlap are one.
fn occurrences(finder: &Finder<'_>, bytes: &[u8]) -> Vec<Range<usize>> {
    let length = finder.needle().len();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(at) = finder.find(&bytes[from..]) {
        let start = from + at;
        match found.last_mut() {
            Some(last) if start < last.end => last.end = start + length,
            _ => found.push(start..start + length),
        }
        from = start + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<SecretString> = secrets.iter().map(|&text| text.into()).collect();
        Masker::new(secrets.iter()).text(text.as_bytes(), usize::MAX)
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        assert_eq!(masked(&["hush"], "hush, I say hush"), "***, I say ***");
        assert_eq!(masked(&["hush"], "nothing"), "nothing");
    }

    #[test]
    fn secrets_that_overlap_leave_no_rest() {
        assert_eq!(masked(&["abcd", "cdef"], "-abcdef-"), "-***-");
        assert_eq!(masked(&["aba"], "-ababa-"), "-***-");
        assert_eq!(masked(&["pass", "password"], "password"), "***");
    }

    #[test]
    fn a_secret_of_several_lines_is_hidden_line_by_line() {
        assert_eq!(masked(&["one\ntwo\n"], "> one\n> two"), "> ***\n> ***");
    }

    #[test]
    fn an_empty_secret_hides_nothing() {
        assert_eq!(masked(&["", "  "], "a  b"), "a  b");
    }

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let secret = SecretString::from("hush");
        let mut value = json!({"a": ["x hush"], "hush": {"b": "hush"}, "n": 1});
        Masker::new([&secret].into_iter()).value(&mut value);
        assert_eq!(value, json!({"a": ["x ***"], "***": {"b": "***"}, "n": 1}));
    }

    proptest! {
        #[test]
        fn no_secret_is_ever_shown(
            secrets in prop::collection::vec("[ab]{1,4}", 1..4),
            text in "[abc]{0,40}",
            end in 0_usize..50,
        ) {
            let secrets: Vec<SecretString> = secrets.into_iter().map(Into::into).collect();
            let shown = Masker::new(secrets.iter()).text(text.as_bytes(), end);
            for secret in &secrets {
                prop_assert!(!shown.contains(secret.expose_secret()), "{shown}");
            }
        }
    }
}
