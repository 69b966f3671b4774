//! What proves the whole of Ground Control from outside: [`server`] starts the real binary,
//! [`simulation`] runs real pods in a made-up world.

#![deny(missing_docs)]

pub mod server;
pub mod simulation;
