//! What a satellite runs: systems, checks, who is assigned to which, and what follows for one
//! satellite.
//!
//! An operator's [`Assignment`] says which satellites run a [`Check`] against a [`System`], by
//! name or by [`Selector`]. A [`Catalogue`] makes of all of them the [`Configuration`] of each
//! satellite; it is a pure function of catalogue and satellite, so that any pod at any time comes
//! to the same one.

mod id;
mod json;
mod value;
mod system;
mod check;
mod selector;
mod expression;
mod target;
mod configuration;
mod catalogue;
mod revision;

pub use catalogue::{Catalogue, Place};
pub use check::{
    Assertion, Check, CheckFault, Collector, Collectors, Interval, InvalidInterval, StrategyId,
};
pub use configuration::{Assigned, Configuration, Configured, Fingerprint, NotAFingerprint};
pub use expression::{ExpressionError, TagExpression, Term};
pub use id::{AssignmentId, CheckId, SystemId};
pub use json::Json;
pub use revision::{Revised, Revision, StoredRevision};
pub use selector::Selector;
pub use system::System;
pub use target::{Assignment, Target};
pub use value::Value;

#[cfg(test)]
mod tests;
