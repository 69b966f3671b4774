//! The real binary, started for a test and talked to from outside.
//!
//! A [`Site`] is one place where a server runs: its data folder, its port, its log. [`Site::serve`]
//! starts the server there, as often as a test wants to stop and start it; [`Api`] talks to it as
//! an operator does, [`EventStream`] hears its events, [`Socket`] is a satellite that does exactly
//! what a test says, [`Agent`] is the real one as a process, [`command_line`] runs a command. [`eventually`] waits for a condition,
//! never for luck.
//!
//! What goes wrong here is a panic that says what was waited for and what the server logged.

mod binary;
mod wait;
mod site;
pub(crate) mod process;
mod api;
mod stream;
mod socket;
mod beating;
mod agent;
mod command_line;

pub use agent::Agent;
pub use api::{Answer, Api, Satellite, edges};
pub use beating::{Beating, Ended};
pub use binary::binary;
pub use command_line::command_line;
pub use process::{Exited, Server};
pub use site::{HEARTBEAT, SETTLE, Site, THRESHOLD};
pub use socket::{Said, Socket};
pub use stream::{EventStream, StreamItem};
pub use wait::{PATIENCE, eventually, within};
