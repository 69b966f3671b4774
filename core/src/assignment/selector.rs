//! Which satellites, by what they are and not by name.

use super::TagExpression;
use crate::satellite::{Region, Tags};

/// Satellites by region and tags; both must fit. An empty one selects every satellite. Who is
/// tagged later is selected from then on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Exactly this region; none: any.
    pub region: Option<Region>,
    /// What must hold of the tags.
    pub tags: TagExpression,
}

impl Selector {
    /// Whether a satellite of this region with these tags is selected.
    pub fn selects(&self, region: &Region, tags: &Tags) -> bool {
        self.region.as_ref().is_none_or(|wanted| wanted == region) && self.tags.matches(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: &[&str]) -> Tags {
        Tags::new(keys.iter().map(|key| ((*key).to_owned(), String::new())).collect()).unwrap()
    }

    #[test]
    fn both_the_region_and_the_tags_must_fit() {
        let selector =
            Selector { region: Some("eu".parse().unwrap()), tags: "lab".parse().unwrap() };
        let selects =
            |region: &str, keys: &[&str]| selector.selects(&region.parse().unwrap(), &tags(keys));
        assert!(selects("eu", &["lab"]));
        assert!(!selects("us", &["lab"]));
        assert!(!selects("eu", &[]));
        assert!(!selects("us", &[]));
    }

    #[test]
    fn a_selector_that_asks_nothing_selects_every_satellite() {
        assert!(Selector::default().selects(&"us".parse().unwrap(), &tags(&[])));
    }
}
