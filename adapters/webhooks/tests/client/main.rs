//! Requests to a receiver that a test plays, and requests that are never made.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;
mod requests;
mod tls;
