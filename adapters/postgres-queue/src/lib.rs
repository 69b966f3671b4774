//! The queue of Ground Control through PostgreSQL: nudges between pods, and recurring work.
//!
//! [`PostgresQueue`] implements [`Broadcast`] and [`RecurringWork`] on three tables of its own,
//! which it makes where they are missing, in the schema that its connections use.
//!
//! * A **nudge** is a row of `groundcontrol_queue_messages`, with as many others as waited, so that
//!   no limit on the size of a notification matters. `NOTIFY` only says that there is a row; who
//!   did not hear it, because a pooler in between does not pass it on, finds it by looking once a
//!   second. Rows are numbered without gaps in the order of their commits, so nobody skips one; a
//!   minute later they are deleted, and who comes later hears that it missed something.
//! * A **job** is a row of `groundcontrol_queue_jobs`. Claims are conditional writes, and all times
//!   are the database's.
//!
//! What goes wrong with the connection harms no caller: sending never waits, subscribing never
//! fails, and the connection is made again, with growing delays. Meanwhile the gauge
//! `groundcontrol_queue_connected` is 0.

#![deny(missing_docs)]

mod queue;
mod listener;
mod sender;
mod work;
mod schema;
mod connect;
mod hub;
mod health;

pub use connect::AddressError;
pub use queue::PostgresQueue;

#[cfg(doc)]
use groundcontrol_core::ports::{Broadcast, RecurringWork};
