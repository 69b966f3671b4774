//! Who watched when, and whether a loss was watched (T5, P10).

use std::collections::BTreeMap;

use groundcontrol_core::ports::EdgeWrite;
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};

use super::{Judge, Verdict};
use crate::simulation::violation::Property;

/// The leases that were granted.
#[derive(Default)]
pub(super) struct Watching {
    /// Until when each pod's lease is valid.
    leases: BTreeMap<PodName, Timestamp>,
    /// The end of the last moment that nobody watched; none before the first lease.
    blind_until: Option<Timestamp>,
}

impl Watching {
    fn renewed(&mut self, pod: &PodName, now: Timestamp, lease: Millis) {
        if self.leases.values().all(|until| *until < now) {
            self.blind_until = Some(now);
        }
        let until = self.leases.entry(pod.clone()).or_insert(now);
        *until = (*until).max(now + lease);
    }

    fn ended(&mut self, pod: &PodName, now: Timestamp) {
        if let Some(until) = self.leases.get_mut(pod) {
            *until = (*until).min(now);
        }
    }

    /// T5 and P10 for a loss of a satellite that was last heard at `heard`, as it is committed.
    pub(super) fn judge_loss(
        &self,
        write: &EdgeWrite,
        heard: Option<Timestamp>,
        threshold: Millis,
        error: Millis,
    ) -> Verdict {
        let (now, pod) = (write.now, &write.origin.pod);
        if self.leases.get(pod).is_none_or(|until| now > *until) {
            return Err((
                Property::Lost,
                format!("{pod} recorded a loss without a lease of its own"),
            ));
        }
        let Some(heard) = heard else {
            return Err((Property::Record, "a lost satellite has no heartbeat time".to_owned()));
        };
        let silent = threshold + error.times(2);
        if now <= heard + silent {
            return Err((
                Property::Lost,
                format!("lost at {now}, but heard at {heard} with a threshold of {threshold}"),
            ));
        }
        match self.blind_until {
            Some(blind) if now <= blind + silent => Err((
                Property::Blind,
                format!(
                    "lost at {now} by {pod}, but nobody watched until {blind}, and the threshold \
                     is {threshold}"
                ),
            )),
            Some(_) => Ok(()),
            None => Err((Property::Lost, "a loss was recorded before anybody watched".to_owned())),
        }
    }
}

impl Judge {
    /// A lease was renewed.
    pub(crate) fn watch_renewed(&self, pod: &PodName, now: Timestamp, lease: Millis) {
        self.books.lock().watching.renewed(pod, now, lease);
    }

    /// A lease was ended.
    pub(crate) fn watch_ended(&self, pod: &PodName, now: Timestamp) {
        self.books.lock().watching.ended(pod, now);
    }
}
