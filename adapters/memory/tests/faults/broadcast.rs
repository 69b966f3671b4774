//! Every fault of a broadcast is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, Report};
use groundcontrol_core::ports::{Broadcast, Nudge, NudgeStream};
use groundcontrol_core::satellite::Epoch;
use groundcontrol_memory::MemoryBroadcast;

use crate::named::{Named, check};

/// Ways in which a broadcast can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// Epochs have 32 bits on the way.
    CutsEpochs,
    /// A nudge goes to one subscriber, as from a queue of work.
    OneTakesAll,
    /// Pods hear nothing from each other.
    EachPodForItself,
    /// Pods hear nothing from themselves.
    OthersOnly,
    /// A nudge in ten is lost, and nobody is told.
    LosesInSilence,
    /// A subscriber that fell behind is not told.
    HidesWhatWasMissed,
    /// Sending where nobody listens is a panic.
    PanicsAlone,
    /// With one subscriber all streams end.
    EndsWithAnySubscriber,
}

const EVERY_KIND: (&str, &str) = ("reaches", "every_kind_of_nudge_arrives_as_it_was_sent");
const EVERY_SUBSCRIBER: (&str, &str) = ("reaches", "every_subscriber_hears_every_nudge");
const BETWEEN_PODS: (&str, &str) = ("reaches", "the_pod_that_sends_hears_it_too_and_so_do_others");
const BEHIND: (&str, &str) =
    ("may lose", "a_subscriber_that_falls_behind_hears_all_or_that_it_missed_some");
const ANOTHER_POD: (&str, &str) =
    ("reaches", "every_kind_of_nudge_arrives_at_another_pod_as_it_was_sent");
const AT_ONCE: (&str, &str) = ("reaches", "what_pods_send_at_once_is_heard_by_all");
const BEHIND_ANOTHER: (&str, &str) =
    ("may lose", "a_subscriber_that_falls_behind_another_pod_hears_all_or_that_it_missed_some");
const SENDING_ALONE: (&str, &str) = ("may lose", "sending_to_nobody_harms_nothing");
const WENT_AWAY: (&str, &str) = ("may lose", "a_subscriber_that_went_away_harms_no_other");

/// What fails where other pods hear nothing,
const OTHER_PODS: Named = &[EVERY_SUBSCRIBER, BETWEEN_PODS, ANOTHER_POD, AT_ONCE, BEHIND_ANOTHER];
/// … and where the own pod does not.
const OWN_POD: Named =
    &[EVERY_KIND, EVERY_SUBSCRIBER, BETWEEN_PODS, AT_ONCE, BEHIND, SENDING_ALONE, WENT_AWAY];

/// What fails where one nudge in ten is lost: of all kinds together, one.
const LOST: Named =
    &[EVERY_KIND, EVERY_SUBSCRIBER, ANOTHER_POD, AT_ONCE, BEHIND, BEHIND_ANOTHER, WENT_AWAY];

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::CutsEpochs, &[EVERY_KIND, ANOTHER_POD]),
    (Fault::OneTakesAll, &[EVERY_SUBSCRIBER, BETWEEN_PODS, AT_ONCE, WENT_AWAY]),
    (Fault::EachPodForItself, OTHER_PODS),
    (Fault::OthersOnly, OWN_POD),
    (Fault::LosesInSilence, LOST),
    (Fault::HidesWhatWasMissed, &[BEHIND, BEHIND_ANOTHER]),
    (Fault::PanicsAlone, &[SENDING_ALONE]),
    (Fault::EndsWithAnySubscriber, &[WENT_AWAY]),
];

/// What all handles and streams of one broadcast share.
#[derive(Default)]
struct Shared {
    sent: AtomicUsize,
    subscribed: AtomicUsize,
    ended: AtomicBool,
}

struct Faulty {
    /// Where it hears,
    inner: MemoryBroadcast,
    /// … and where it sends.
    outward: MemoryBroadcast,
    fault: Fault,
    shared: Arc<Shared>,
}

struct Stream {
    inner: Box<dyn NudgeStream>,
    fault: Fault,
    shared: Arc<Shared>,
    /// It came first.
    first: bool,
}

#[async_trait]
impl Broadcast for Faulty {
    fn send(&self, nudge: Nudge) {
        let sent = self.shared.sent.fetch_add(1, Ordering::Relaxed) + 1;
        match (self.fault, nudge) {
            (Fault::LosesInSilence, _) if sent.is_multiple_of(10) => {}
            (Fault::PanicsAlone, _) if self.shared.subscribed.load(Ordering::Relaxed) == 0 => {
                panic!("nobody listens")
            }
            (Fault::CutsEpochs, Nudge::Connected { satellite, epoch }) => {
                let epoch = Epoch(u64::from(epoch.0 as u32));
                self.outward.send(Nudge::Connected { satellite, epoch });
            }
            _ => self.outward.send(nudge),
        }
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        let first = self.shared.subscribed.fetch_add(1, Ordering::Relaxed) == 0;
        let (inner, shared) = (self.inner.subscribe().await, Arc::clone(&self.shared));
        Box::new(Stream { inner, fault: self.fault, shared, first })
    }
}

#[async_trait]
impl NudgeStream for Stream {
    async fn next(&mut self) -> Option<Nudge> {
        let ended = self.shared.ended.load(Ordering::Relaxed);
        match self.fault {
            Fault::EndsWithAnySubscriber if ended => None,
            Fault::OneTakesAll if !self.first => std::future::pending().await,
            Fault::HidesWhatWasMissed => loop {
                match self.inner.next().await {
                    Some(Nudge::Missed) => {}
                    other => return other,
                }
            },
            _ => self.inner.next().await,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

/// As many as one case sends, so that only who hides it ever misses any.
const ROOM: usize = 200_000;

async fn report(fault: Fault) -> Report {
    conformance::broadcast(|| async move {
        let inner = match fault {
            Fault::HidesWhatWasMissed => MemoryBroadcast::new(),
            _ => MemoryBroadcast::with_capacity(ROOM),
        };
        let other = match fault {
            Fault::EachPodForItself | Fault::OthersOnly => MemoryBroadcast::with_capacity(ROOM),
            _ => inner.clone(),
        };
        let shared = Arc::<Shared>::default();
        let faulty = |inner: &MemoryBroadcast, outward: &MemoryBroadcast| {
            let (inner, outward) = (inner.clone(), outward.clone());
            Arc::new(Faulty { inner, outward, fault, shared: Arc::clone(&shared) })
        };
        let [to_one, to_other] = match fault {
            Fault::OthersOnly => [&other, &inner],
            _ => [&inner, &other],
        };
        Fixture::<dyn Broadcast>::new(faulty(&inner, to_one))
            .with_handle(faulty(&other, to_other))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_broadcast_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}
