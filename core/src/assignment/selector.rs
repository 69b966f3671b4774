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
