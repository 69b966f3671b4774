//! Satellites of another system, made ours: with their ids and tokens, so that their agents
//! connect as they are.
//!
//! What is only history there is none here: a satellite that is imported has never connected to
//! this server (rule R1). Nothing of a satellite's credentials is changed once it is here.

mod judge;
mod run;

pub use judge::{Problem, Sound, judge};
pub use run::{Imported, Outcome, import};
