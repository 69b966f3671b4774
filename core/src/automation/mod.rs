//! What automations can start from, and how they are told: triggers.

mod trigger;

pub use trigger::{ContextKey, PayloadKind, TRIGGERS, Trigger};
