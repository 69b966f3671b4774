//! Many satellites of one region lost at once: an event of the region, beside those of its
//! satellites.

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::event::{EventKind, SatelliteEvent, Transition};
use super::record::Cause;
use crate::satellite::{PodName, Region, SatelliteId, Seq};
use crate::time::{Millis, Timestamp};

/// What an event belongs to: events of one context are numbered 1, 2, 3 … and delivered in that
/// order (rule E2). A satellite's is its id; what has no id of its own has one made of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub Uuid);

/// More of a region's satellites were lost within a window than is usual: probably the region was
/// lost, or the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionLoss {
    /// Which region.
    pub region: Region,
    /// Its number: 1, 2, 3 … per region.
    pub seq: Seq,
    /// When the first of the losses that count was recorded.
    pub since: Timestamp,
    /// Store time of the write.
    pub occurred_at: Timestamp,
    /// The satellites that were lost since then, and are.
    pub lost: u64,
    /// They, and those that are connected.
    pub total: u64,
    /// Within how much time the losses had to come to count.
    pub window: Millis,
    /// The pod that wrote it.
    pub pod: PodName,
}

/// What the one order of all events holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are transitions")]
pub enum Recorded {
    /// An edge of a satellite, or its end.
    Transition(Transition),
    /// The loss of a region.
    RegionLoss(RegionLoss),
}

/// An event that automations act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Of a satellite.
    Satellite(SatelliteEvent),
    /// Of a region.
    RegionLoss(RegionLoss),
}

impl ContextId {
    /// The context of a region's events, which is the same wherever and whenever it is asked for.
    ///
    /// ```
    /// use groundcontrol_core::connection::ContextId;
    /// let of = |region: &str| ContextId::of_region(&region.parse().unwrap());
    /// assert_eq!(of("eu-north"), of("eu-north"));
    /// assert_ne!(of("eu-north"), of("eu-south"));
    /// ```
    pub fn of_region(region: &Region) -> Self {
        Self::of_parts(&[b"region", region.as_str().as_bytes()])
    }

    /// A context made of what tells it apart.
    pub(crate) fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // The length first: no two lists of parts are the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl From<SatelliteId> for ContextId {
    fn from(satellite: SatelliteId) -> Self {
        Self(satellite.0)
    }
}

impl std::fmt::Display for ContextId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl RegionLoss {
    /// The region's context.
    pub fn context(&self) -> ContextId {
        ContextId::of_region(&self.region)
    }

    /// The part of the satellites that were lost, in hundredths, rounded down.
    pub fn share_percent(&self) -> u64 {
        self.lost.saturating_mul(100).checked_div(self.total).unwrap_or(0)
    }
}

impl Recorded {
    /// The transition, where it is one.
    pub fn transition(&self) -> Option<&Transition> {
        match self {
            Self::Transition(transition) => Some(transition),
            Self::RegionLoss(_) => None,
        }
    }

    /// The transition itself, where it is one.
    pub fn into_transition(self) -> Option<Transition> {
        match self {
            Self::Transition(transition) => Some(transition),
            Self::RegionLoss(_) => None,
        }
    }

    /// Its context and number, which no other has.
    pub fn place(&self) -> (ContextId, Seq) {
        match self {
            Self::Transition(transition) => (transition.satellite.into(), transition.seq),
            Self::RegionLoss(loss) => (loss.context(), loss.seq),
        }
    }

    /// When it was recorded.
    pub fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Transition(transition) => transition.occurred_at,
            Self::RegionLoss(loss) => loss.occurred_at,
        }
    }
}

impl Event {
    /// The event of what was recorded; none where its edge is unknown (rule E4).
    pub fn derive(recorded: &Recorded) -> Option<Self> {
        match recorded {
            Recorded::Transition(transition) => {
                SatelliteEvent::derive(transition).map(Self::Satellite)
            }
            Recorded::RegionLoss(loss) => Some(Self::RegionLoss(loss.clone())),
        }
    }

    /// `<context>:<seq>`: the same event always has the same.
    pub fn id(&self) -> String {
        match self {
            Self::Satellite(event) => event.id.clone(),
            Self::RegionLoss(loss) => format!("{}:{}", loss.context(), loss.seq),
        }
    }

    /// Which event.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Satellite(event) => event.kind,
            Self::RegionLoss(_) => EventKind::RegionLossSuspected,
        }
    }

    /// What it belongs to.
    pub fn context(&self) -> ContextId {
        match self {
            Self::Satellite(event) => event.satellite.into(),
            Self::RegionLoss(loss) => loss.context(),
        }
    }

    /// The satellite, where it is of one.
    pub fn satellite(&self) -> Option<SatelliteId> {
        match self {
            Self::Satellite(event) => Some(event.satellite),
            Self::RegionLoss(_) => None,
        }
    }

    /// The region in which it happened; none for a satellite that was removed before it ever
    /// connected.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Satellite(event) => event.state().map(|state| &state.region),
            Self::RegionLoss(loss) => Some(&loss.region),
        }
    }

    /// Its number within its context.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Satellite(event) => event.seq,
            Self::RegionLoss(loss) => loss.seq,
        }
    }

    /// When.
    pub fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Satellite(event) => event.occurred_at,
            Self::RegionLoss(loss) => loss.occurred_at,
        }
    }

    /// Why, where that is known.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Satellite(event) => event.cause,
            Self::RegionLoss(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(lost: u64, total: u64) -> RegionLoss {
        RegionLoss {
            region: "eu".parse().unwrap(),
            seq: Seq(3),
            since: Timestamp::from_millis(1),
            occurred_at: Timestamp::from_millis(2),
            lost,
            total,
            window: Millis::from_secs(60),
            pod: PodName::new("pod-1"),
        }
    }

    #[test]
    fn a_share_is_whole_hundredths_and_that_of_nobody_is_none() {
        assert_eq!(loss(2, 3).share_percent(), 66);
        assert_eq!(loss(0, 0).share_percent(), 0);
    }

    #[test]
    fn a_regions_event_has_the_regions_context_and_no_satellite() {
        let event = Event::derive(&Recorded::RegionLoss(loss(2, 3))).unwrap();
        assert_eq!(event.id(), format!("{}:3", ContextId::of_region(&"eu".parse().unwrap())));
        assert_eq!((event.satellite(), event.cause()), (None, None));
        assert_eq!(event.kind().name(), "fleet.region_loss_suspected");
    }

    #[test]
    fn parts_that_are_cut_elsewhere_are_another_context() {
        let (one, other) =
            (ContextId::of_parts(&[b"ab", b"c"]), ContextId::of_parts(&[b"a", b"bc"]));
        assert_ne!(one, other);
    }
}
