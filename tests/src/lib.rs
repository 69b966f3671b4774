//! What proves the whole of Ground Control from outside: [`server`] starts the real binary.

#![deny(missing_docs)]

pub mod server;
