//! A PostgreSQL server as this crate speaks to it: connections whose every wait has an end.
//!
//! sea-orm gives rows and values their types. Its own pool is not used here, because a connection
//! in doubt must be dropped at once, and a transaction must never go on, unnoticed, on another
//! connection than the one it was begun on.

mod limits;
mod address;
mod parameters;
mod statement;
mod readers;
mod writer;

pub(crate) use address::Address;
pub use limits::ServerLimits;
pub(crate) use readers::Readers;
pub(crate) use statement::{is_lost, within};
pub(crate) use writer::{Writer, may_be_committed};
