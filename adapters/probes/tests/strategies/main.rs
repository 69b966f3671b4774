//! Each strategy against a server that the test starts: what it finds, and what it says where
//! there is nothing to find.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod support;
mod http;
mod tcp;
mod dns;
mod tls;
mod ping;
mod script;
mod inline_script;
mod runs;
