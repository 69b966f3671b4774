//! Tags: labels that operators select satellites by.

use std::collections::BTreeMap;

use super::text::{self, TextError};
use crate::limits;

/// At most 64 tags, ordered by key; keys of 1–63 and values of up to 255 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The tags in `map`, or the key at fault (none where the number of tags is) and why.
    pub fn new(map: BTreeMap<String, String>) -> Result<Self, (Option<String>, TextError)> {
        if map.len() > limits::MAX_TAGS {
            let (count, most) = (map.len(), limits::MAX_TAGS);
            return Err((None, TextError::TooMany { count, most }));
        }
        for (key, value) in &map {
            text::check(key, limits::MAX_TAG_KEY_CHARS)
                .and_then(|()| text::check_value(value, limits::MAX_TAG_VALUE_CHARS))
                .map_err(|why| (Some(key.clone()), why))?;
        }
        Ok(Self(map))
    }

    /// Keys and values, ordered by key.
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Result<Tags, (Option<String>, TextError)> {
        Tags::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn an_empty_value_is_allowed_and_an_empty_key_is_not() {
        assert!(tags(&[("lab", "")]).is_ok());
        assert_eq!(tags(&[("", "x")]), Err((Some(String::new()), TextError::Empty)));
    }

    #[test]
    fn what_was_given_is_kept() {
        let kept = tags(&[("tier", "edge"), ("lab", "")]).unwrap();
        let pairs: Vec<_> = kept.as_map().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("lab", ""), ("tier", "edge")]);
    }

    #[test]
    fn limits_hold_exactly() {
        assert!(tags(&[(&"k".repeat(63), &"v".repeat(255))]).is_ok());
        assert!(tags(&[(&"k".repeat(64), "v")]).is_err());
        assert!(tags(&[("k", &"v".repeat(256))]).is_err());
        let many = |n: usize| (0..n).map(|i| (i.to_string(), String::new())).collect();
        assert!(Tags::new(many(64)).is_ok());
        assert_eq!(Tags::new(many(65)), Err((None, TextError::TooMany { count: 65, most: 64 })));
    }
}
