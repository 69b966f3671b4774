//! What a pod does, one story a file: from a socket's first word to an event on the stream.

pub mod authenticate;
mod heartbeat;
mod disconnect;
mod gateway;
mod watch;
mod monitor;
mod nudges;
mod configure;
mod relay;
mod runs;
mod upload;
mod packages;
mod package_relay;
pub mod events;
mod webhooks;
mod credentials;
mod manage;
mod explain;
mod work;
mod secrets;
mod fleet;
pub(crate) mod jobs;
mod unwatched;
mod prune;
mod documents;
mod drain;
