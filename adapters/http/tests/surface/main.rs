//! The HTTP surface as its callers see it: requests in, literal answers out, the fleet a double.

#![expect(clippy::unwrap_used, reason = "a test that panics says where")]

mod support;
mod schema;
mod secrets;
mod support_webhooks;
mod work;
mod packages;
mod satellites;
mod connections;
mod api_tokens;
mod operations;
mod console;
mod bad_requests;
mod access;
mod session;
mod events;
mod triggers;
mod webhooks;
mod rules;
mod openapi;
mod answers_fit;
mod every_answer;
