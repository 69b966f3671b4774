//! What shall be there, as documents describe it, and what has to be done for it.
//!
//! [`Wanted`] is what documents say, [`Present`] what is there. [`plan`] is a pure function of the
//! two: the changes in an order in which each can be made, or every fault at once. Things are
//! matched by their names, so that what is there already is adopted; an assignment has none and is
//! matched by its check and system. Only what a [`Manager`] made is ever removed.

mod manager;
mod wanted;
mod present;
mod fields;
mod plan;
mod prune;
mod matching;

pub use fields::{FieldChange, Leaves};
pub use manager::Manager;
pub use plan::{Action, Change, Kept, Kind, Plan, Step, plan};
pub use present::{Names, Present};
pub use wanted::{
    AssignmentSpec, CheckSpec, Described, Fault, SatelliteSpec, SystemSpec, Wanted, WantedTarget,
};

#[cfg(test)]
mod tests;
