//! The way from Ground Control to a webhook's receiver.
//!
//! [`WebhookClient`] implements [`WebhookSender`](groundcontrol_core::ports::WebhookSender): one
//! request an attempt, signed as Standard Webhooks says (`sign`), to addresses that may be asked
//! (`target`), bounded in time and in what is read (`client`), and in words where there is no answer
//! (`refusal`). Whoever registers a webhook chooses
//! where this server sends requests; so by default only public addresses are dialled, and what
//! counts is the address that is dialled, not the name that it came from.

#![deny(missing_docs)]

mod target;
mod sign;
mod client;
mod refusal;

pub use client::{Lookup, SetupError, WebhookClient, WebhookSettings};
pub use sign::{signature, signatures};
pub use target::Targets;
