//! The real binary from outside: real processes, real sockets, real signals.
//!
//! Every test has a site of its own, so they run side by side. Thresholds are short and waits have
//! deadlines; nothing here sleeps for luck.

mod connecting;
mod silence;
mod credentials;
mod restarts;
mod event_stream;
mod webhooks;
mod rules;
mod agent;
mod checks;
mod packages;
mod secrets;
mod gitops;
mod import;
mod tls;
mod bad_input;
mod http_api;
mod start_up;
mod store_faults;
mod queues;
