//! The cases of [`WebhookStore`](crate::ports::WebhookStore).

mod bench;
mod webhooks;
mod deliveries;

use super::WebhookAdapter;
use super::runner::Case;

pub(super) fn cases() -> Vec<Case<dyn WebhookAdapter>> {
    let mut cases = webhooks::cases();
    cases.extend(deliveries::cases());
    cases
}
