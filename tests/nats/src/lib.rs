//! NATS for tests: a private server on a free port, with its files in a temporary folder.
//!
//! [`Server`] is one server with JetStream, which its test may stop, kill, freeze and start again.
//! [`Place`] is a prefix of its own on a server that all tests of a process share: the one that
//! [`URL_VARIABLE`] names, or else one that is started for this process. A server and its folder
//! go away with the process that started it, however that ends. A missing NATS fails the test;
//! nothing is skipped.
//!
//! It lies outside of the testkit so that an adapter's tests can use it.

#![deny(missing_docs)]

mod server;
mod place;

pub use place::{Place, URL_VARIABLE};
pub use server::{Server, Stop};
