//! The life of one socket as a state machine without I/O: what happened goes in, what must be
//! done comes out.
//!
//! Read [`message`](Message) → [`request`](Request) → [`input`](Input) → [`ending`](Ending) → [`budget`](Budget) →
//! [`machine`](Session). The adapter that holds the socket parses, writes, waits and asks the
//! gateway; whether and when is decided here. `now` never runs backwards between two steps of
//! one session; where it starts does not matter, so that a monotonic clock will do.

mod settings;
mod request;
mod message;
mod input;
mod ending;
mod budget;
mod machine;
mod report;
mod open;
#[cfg(test)]
mod table;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod told;
#[cfg(test)]
mod properties;

pub use budget::Budget;
pub use ending::{CloseCode, End, Ending};
pub use input::{Credentials, Dropped, Effect, Input, Unreadable, Violation};
pub use machine::{Reading, Session};
pub use message::{Message, Reply, RunResult};
pub use request::{Answer, Request, ScriptPackageSyncState};
pub use settings::SessionSettings;
