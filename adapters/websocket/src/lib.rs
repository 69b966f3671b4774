//! The WebSocket of the satellites.
//!
//! [`wire`] is the satellite protocol as types, for servers and for agents. [`SatelliteSockets`]
//! is the server's side: it answers upgrade requests and drives one task per socket, in which
//! [`Session`](groundcontrol_core::session::Session) decides and this crate does.
//!
//! What a socket costs while it is quiet is the measure of this crate: no second task, no
//! channel, no boxed future, one timer, a read buffer of half a kilobyte, and no write buffer.
//! What a large message needed is given back after it.

#![deny(missing_docs)]

pub mod wire;
mod settings;
mod sockets;
mod handshake;
mod waiting;
mod mailbox;
mod connection;
mod closing;
mod transport;
mod frames;
mod translate;
mod relay;
mod answer;
mod meters;

pub use settings::SocketSettings;
pub use sockets::SatelliteSockets;
