//! The way to a webhook's receiver.

use async_trait::async_trait;

use super::AttemptSeen;
use crate::automation::{Answer, ContentMode, Notice, SigningSecret, WebhookHeaders, WebhookUrl};
use crate::time::Timestamp;

/// Makes requests to receivers.
///
/// Promises: every attempt ends, in bounded time and memory; no target is asked that its operator
/// did not allow, whatever its name resolves to at that moment; nothing of secrets is in what was
/// seen. Fails never: what goes wrong is an [`Answer::Failed`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Why requests to `url` can be told to fail before any is made; none where they can be tried.
    fn refuses(&self, url: &WebhookUrl) -> Option<String>;

    /// Makes one attempt.
    async fn send(&self, request: OutgoingWebhook) -> SendReport;
}

/// A request to be made.
#[derive(Clone, Debug)]
pub struct OutgoingWebhook {
    /// Where to.
    pub url: WebhookUrl,
    /// What it carries besides.
    pub headers: WebhookHeaders,
    /// How it is written.
    pub mode: ContentMode,
    /// What it is signed with, each.
    pub secrets: Vec<SigningSecret>,
    /// What the receiver is told.
    pub notice: Notice,
    /// When it is sent.
    pub at: Timestamp,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendReport {
    /// What it means.
    pub answer: Answer,
    /// What was seen.
    pub seen: AttemptSeen,
}
