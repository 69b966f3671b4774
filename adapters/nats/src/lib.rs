//! The queue of Ground Control through NATS: nudges between pods, and recurring work.
//!
//! [`NatsQueue`] implements [`Broadcast`] on a subject of core NATS, and [`RecurringWork`] on a
//! JetStream stream that keeps one message a job: the last claim or the last end of a run. Who
//! claims, renews or finishes writes the next message on condition that the last one is still what
//! was read, so of several at once one succeeds, and who was overtaken is told. All times are the
//! server's: the stream's leader stamps each message, and a member who needs to know what time it
//! is has a message stamped. (A work-queue consumer would redeliver too, but it takes a late
//! answer of who lost a run for one of who has it now.)
//!
//! What goes wrong with the connection harms no caller: sending never waits, subscribing never
//! fails, and the connection is made again, with growing delays. Meanwhile the gauge
//! `groundcontrol_queue_connected` is 0. After every break all pods are told that they may have
//! missed something.
//!
//! [`NatsSink`] publishes all events on a subject, on a connection of its own; its user needs to
//! publish to the subject and to `_INBOX.>`, and to subscribe to `_INBOX.>`.
//!
//! With the prefix `groundcontrol`, the user needs to publish to `groundcontrol.>` and
//! `$JS.API.>`, and to subscribe to `groundcontrol.>` and `_INBOX.>`. NATS 2.9 and newer.

#![deny(missing_docs)]

mod settings;
mod queue;
mod connection;
mod sender;
mod work;
mod record;
mod hub;
mod health;
mod sink;

pub use queue::NatsQueue;
pub use settings::{NatsSettings, SettingsError, TlsClient};
pub use sink::{NatsSink, SinkSubject};

#[cfg(doc)]
use groundcontrol_core::ports::{Broadcast, RecurringWork};
