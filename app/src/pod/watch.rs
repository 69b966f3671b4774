//! The span of watching, as this pod last renewed it.

use groundcontrol_core::connection::WatchSpan;
use groundcontrol_core::time::Timestamp;
use parking_lot::Mutex;

/// This pod's lease and the span that it is part of.
#[derive(Default)]
pub struct Watch(Mutex<Option<Lease>>);

#[derive(Clone, Copy)]
struct Lease {
    span: WatchSpan,
    until: Timestamp,
}

impl Watch {
    /// The lease was renewed until `until`, as part of `span`. Answers whether the pod did not
    /// watch, or another span, before.
    pub fn renewed(&self, span: WatchSpan, until: Timestamp) -> bool {
        let before = self.0.lock().replace(Lease { span, until });
        before.is_none_or(|before| before.span.since != span.since)
    }

    /// The span, while this pod's own lease is alive at `now`.
    pub fn span(&self, now: Timestamp) -> Option<WatchSpan> {
        self.0.lock().filter(|lease| now <= lease.until).map(|lease| lease.span)
    }

    /// The lease was ended.
    pub fn end(&self) {
        *self.0.lock() = None;
    }
}
