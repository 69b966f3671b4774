//! The rules of Ground Control, and nothing else: no I/O, no runtime, no clock, no randomness.
//!
//! Read in the order of the modules below. [`time`] and [`limits`] are the vocabulary,
//! [`satellite`] says who, [`assignment`] what they run, [`secrets`] how their settings refer to
//! secrets, [`desired`] what follows from how all this is described in documents, [`run`] what they
//! report, [`packages`] what their scripts import, [`connection`] says what may happen to a
//! satellite's connection and what follows, [`automation`] what can start from that, [`session`] is
//! the life of one socket, [`ports`] is what the rules need from outside.
//!
//! Invariants about what is absent: nothing here waits, locks, allocates without bound, reads a
//! clock or draws a random number; the traits in [`ports`] are `async` only in their signatures.

#![deny(missing_docs)]
#![warn(clippy::iter_over_hash_type)]

pub mod time;
pub mod limits;
mod hex;
pub mod satellite;
pub mod assignment;
pub mod secrets;
pub mod desired;
pub mod run;
pub mod packages;
pub mod connection;
pub mod automation;
pub mod session;
pub mod ports;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "model")]
pub mod model;
