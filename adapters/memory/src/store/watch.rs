//! Watch leases and the span that they make (rule T5).

use std::collections::BTreeMap;

use groundcontrol_core::connection::WatchSpan;
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};

/// The pods' leases and the present, or last, span.
#[derive(Default)]
pub(super) struct Watch {
    span: Option<WatchSpan>,
    /// Until when each pod's lease is valid.
    leases: BTreeMap<PodName, Timestamp>,
}

impl Watch {
    pub(super) fn span(&self) -> Option<WatchSpan> {
        self.span
    }

    pub(super) fn is_leased(&self, pod: &PodName, now: Timestamp) -> bool {
        self.leases.get(pod).is_some_and(|until| now <= *until)
    }

    pub(super) fn renew(&mut self, pod: &PodName, now: Timestamp, lease: Millis) -> WatchSpan {
        // The leases of pods that died would otherwise stay for ever.
        self.leases.retain(|_, until| now <= *until);
        let until = self.leases.entry(pod.clone()).or_insert(now);
        *until = (*until).max(now + lease);
        let span = WatchSpan::renewed(self.span, now, lease);
        self.span = Some(span);
        span
    }

    pub(super) fn end(&mut self, pod: &PodName, now: Timestamp) {
        let Some(own) = self.leases.remove(pod) else { return };
        let last = self.leases.values().copied().fold(own.min(now), Timestamp::max);
        if let Some(span) = &mut self.span {
            span.until = span.until.min(last);
        }
    }
}
