//! Pods as real processes on a real database and queue, with hundreds of simulated agents, while
//! everything goes wrong that can.
//!
//! A [`Stage`] is a private PostgreSQL, a private NATS where it is asked for, and pods of the real
//! binary, each behind a [`Proxy`] towards its agents and another towards the database. An
//! [`Agent`] dials one pod or another and keeps an [`Account`] of what it knows that it did; a
//! [`Follower`] remembers every event it is told, over streams of one pod after the other. [`Chaos`]
//! is a run in which a seed decides what goes wrong when; [`Troubles`] is what did. At the end
//! [`checker::check`] holds what was recorded and delivered against all that.

mod account;
mod troubles;
mod record;
mod proxy;
mod pod;
mod stage;
mod agent;
mod dialogue;
mod follower;
mod crowd;
mod plan;
mod chaos;
mod run;
pub mod checker;

pub use account::{Account, Answer, Attempt, End, Moment, now};
pub use agent::{Agent, Death, Order};
pub use crowd::Crowd;
pub use follower::Follower;
pub use pod::Pod;
pub use proxy::{Passage, Proxy};
pub use record::{Delivered, Transition};
pub use run::{Chaos, Outcome};
pub use stage::{Queue, Setup, Stage};
pub use troubles::{AFTERMATH, Scope, Trouble, Troubles, sound};
