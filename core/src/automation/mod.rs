//! What automations can start from, and how they are told: triggers, webhooks, deliveries.

mod trigger;
mod filter;
mod secret;
mod webhook;
mod delivery;

pub use delivery::{
    Answer, BACK_OFF, DeliveryState, Health, JITTER_PERMILLE, MAX_RETRY_AFTER, PauseReason, Step,
    after_attempt,
};
pub use filter::EventFilter;
pub use secret::{KeptSecret, NotASecret, SigningSecret};
pub use trigger::{ContextKey, PayloadKind, TRIGGERS, Trigger};
pub use webhook::{
    ContentMode, InvalidHeader, InvalidUrl, Webhook, WebhookHeaders, WebhookId, WebhookUrl,
};
