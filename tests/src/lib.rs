//! What proves the whole of Ground Control from outside: [`server`] starts the real binary,
//! [`simulation`] runs real pods in a made-up world, [`fleet`] real ones in the real world, where
//! everything goes wrong.

#![deny(missing_docs)]

pub mod server;
pub mod fleet;
pub mod simulation;
