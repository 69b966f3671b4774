//! What automations can start from, and how they are told: triggers, webhooks, deliveries; rules,
//! alerts, and what webhooks are told of them.

mod trigger;
mod filter;
mod secret;
mod webhook;
mod delivery;
mod region_loss;
mod rule;
mod alert;
mod notice;

pub use alert::{
    Alert, AlertCall, AlertId, AlertInput, AlertStanding, AlertState, AlertStep, AlertSubject,
    Resolution, after,
};
pub use delivery::{
    Answer, BACK_OFF, DeliveryState, Health, JITTER_PERMILLE, MAX_RETRY_AFTER, PauseReason, Step,
    after_attempt,
};
pub use filter::EventFilter;
pub use notice::{AlertKind, AlertNotice, Notice, NoticeKind};
pub use region_loss::{
    Assessment, RegionCount, RegionLossSettings, SILENT_ENDS, assess, is_silent,
};
pub use rule::{InvalidRule, Meaning, Rule, RuleId, WATCHED};
pub use secret::{KeptSecret, NotASecret, SigningSecret};
pub use trigger::{ContextKey, PayloadKind, TRIGGERS, Trigger};
pub use webhook::{
    ContentMode, InvalidHeader, InvalidUrl, Webhook, WebhookHeaders, WebhookId, WebhookUrl,
};
