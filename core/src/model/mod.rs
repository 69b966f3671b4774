//! The one model that every proof drives: what can happen to a satellite, what must come of it,
//! and what must never be seen.
//!
//! Reading order: a [`Step`] is something that happens; a [`World`] is one satellite in the
//! smallest store that keeps the port's promises, driven by [`Rules`] (the real ones, or a
//! [`PlantedBug`]); the [`Oracle`] says, slowly and from a list of what happened, what must come
//! of a step; a [`Trial`] performs steps in both and checks every property after each of them;
//! an [`Operation`] is a step in words that mean something in any world, and [`operations`]
//! generates lists of them.
//!
//! ```
//! use groundcontrol_core::model::{Operation, Trial};
//! let mut trial = Trial::new();
//! trial.perform(Operation::CONNECT).unwrap();
//! trial.perform(Operation::SILENCE).unwrap();
//! trial.perform(Operation::Sweep).unwrap();
//! assert_eq!(trial.world().history.len(), 2);
//! ```

mod step;
mod rules;
mod planted;
mod world;
mod oracle;
mod operation;
mod fault;
mod check;
mod trial;
mod generate;
pub mod pods;

pub use fault::{Fault, Property};
pub use generate::{operations, operations_within};
pub use operation::Operation;
pub use oracle::Oracle;
pub use planted::PlantedBug;
pub use rules::{Rules, SoundRules};
pub use step::{Outcome, Step};
pub use trial::Trial;
pub use world::{Entry, Reading, World};

use crate::satellite::TokenId;
use crate::time::{Millis, Timestamp};
use uuid::Uuid;

/// Where a model's store time begins.
pub const START: Timestamp = Timestamp::from_millis(1_000_000);
/// The threshold that a model's satellite begins with.
pub const THRESHOLD: Millis = Millis::new(300);
/// How long a received heartbeat may need to be stored in a model.
pub const SETTLE: Millis = Millis::new(30);
/// How long a watch lease is valid in a model.
pub const LEASE: Millis = Millis::new(100);

/// The error e with which a model's pods know the store time (property P11); settle covers it
/// twice.
pub const ERROR: Millis = Millis::new(10);

/// The `n`th token of a model's satellite; it begins with the first.
pub const fn token(n: u64) -> TokenId {
    TokenId(Uuid::from_u128(0x70c3_0000 + n as u128))
}
