//! What is checked.

use super::{Json, SystemId};
use crate::desired::Manager;
use crate::satellite::Name;
use crate::time::Timestamp;

/// Something that checks are run against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Its id.
    pub id: SystemId,
    /// Unique among all systems.
    pub name: Name,
    /// What an operator wrote about it: one JSON object, sent along with the work.
    pub metadata: Json,
    /// What made it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
    /// When it was made, store time.
    pub created_at: Timestamp,
}
