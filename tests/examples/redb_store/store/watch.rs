//! Watch leases and the span that they make (rule T5).

use groundcontrol_core::connection::WatchSpan;
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};
use redb::{ReadableTable, WriteTransaction};

use super::error::Done;
use super::rows::Fleet;
use super::tables::{LEASES, SPAN};

/// Whether the pod's own lease is alive at `now`, up to its last millisecond.
pub(super) fn is_leased(
    transaction: &WriteTransaction,
    pod: &PodName,
    now: Timestamp,
) -> Done<bool> {
    let leases = transaction.open_table(LEASES)?;
    let until = leases.get(pod.as_str())?;
    Ok(until.is_some_and(|until| now.as_millis() <= until.value()))
}

pub(super) fn renew(
    transaction: &WriteTransaction,
    pod: &PodName,
    now: Timestamp,
    lease: Millis,
) -> Done<WatchSpan> {
    let mut leases = transaction.open_table(LEASES)?;
    // The leases of pods that died would otherwise stay for ever.
    leases.retain(|_, until| now.as_millis() <= until)?;
    let until = (now + lease).as_millis();
    let before = leases.get(pod.as_str())?.map_or(until, |before| before.value());
    leases.insert(pod.as_str(), before.max(until))?;
    let span = WatchSpan::renewed(Fleet::read(transaction)?.watch, now, lease);
    store(transaction, span)?;
    Ok(span)
}

/// The span ends with the last lease in it, not with this pod's.
pub(super) fn end(transaction: &WriteTransaction, pod: &PodName, now: Timestamp) -> Done<()> {
    let mut leases = transaction.open_table(LEASES)?;
    let own = leases.remove(pod.as_str())?.map(|own| Timestamp::from_millis(own.value()));
    let (Some(own), Some(span)) = (own, Fleet::read(transaction)?.watch) else { return Ok(()) };
    let mut last = own.min(now);
    for entry in leases.iter()? {
        last = last.max(Timestamp::from_millis(entry?.1.value()));
    }
    store(transaction, WatchSpan { until: span.until.min(last), ..span })
}

fn store(transaction: &WriteTransaction, span: WatchSpan) -> Done<()> {
    let stored = (span.since.as_millis(), span.until.as_millis());
    transaction.open_table(SPAN)?.insert((), stored)?;
    Ok(())
}
