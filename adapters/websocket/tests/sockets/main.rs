//! The sockets over real loopback connections, with a gateway that answers as the test says.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod support;
mod endings;
mod conversation;
mod crowds;
mod requests;
mod streams;
mod telling;
