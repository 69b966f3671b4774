//! Which edges each satellite must show, and whether it did.

use groundcontrol_core::connection::{Cause, EventKind};

/// One edge that must be seen, with any of these causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) event: EventKind,
    pub(super) causes: &'static [Cause],
}

/// One edge that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) event: EventKind,
    pub(super) cause: Option<Cause>,
}

const CONNECTED: Expected =
    Expected { event: EventKind::Connected, causes: &[Cause::Authenticated] };
/// What a process that is killed shows: its kernel closes the socket, nobody says goodbye.
pub(super) const KILLED: &[Expected] =
    &[CONNECTED, Expected { event: EventKind::Disconnected, causes: &[Cause::ConnectionLost] }];
/// What a satellite shows whose network is cut and healed: the same socket goes on, or, where the
/// agent gave it up first, a new one takes over.
pub(super) const CUT: &[Expected] = &[
    CONNECTED,
    Expected { event: EventKind::HeartbeatLost, causes: &[Cause::HeartbeatTimeout] },
    Expected {
        event: EventKind::Connected,
        causes: &[Cause::HeartbeatResumed, Cause::Authenticated, Cause::TookOver],
    },
];
/// What a satellite shows that is asked to stop.
pub(super) const STOPPED: &[Expected] =
    &[CONNECTED, Expected { event: EventKind::Disconnected, causes: &[Cause::ClientClosed] }];

impl Expected {
    pub(super) fn is(&self, seen: &Seen) -> bool {
        self.event == seen.event && seen.cause.is_some_and(|cause| self.causes.contains(&cause))
    }

    /// In words, such as `satellite.disconnected (client_closed)`.
    pub(super) fn words(&self) -> String {
        let causes: Vec<&str> = self.causes.iter().map(|cause| cause.name()).collect();
        format!("{} ({})", self.event, causes.join(" or "))
    }
}

/// What is wrong with the edges of the satellite `name`: the first that is missing, out of order
/// or too many. None where every expected edge was seen, in order, and no other.
pub(super) fn fault(name: &str, expected: &[Expected], seen: &[Seen]) -> Option<String> {
    let matching = expected.iter().zip(seen).take_while(|(wanted, seen)| wanted.is(seen)).count();
    let words = |seen: &Seen| match seen.cause {
        Some(cause) => format!("{} ({cause})", seen.event),
        None => seen.event.to_string(),
    };
    match (expected.get(matching), seen.get(matching)) {
        (None, None) => None,
        (Some(wanted), None) => Some(format!("{name}: {} never came", wanted.words())),
        (Some(wanted), Some(found)) => {
            Some(format!("{name}: {} came where {} should", words(found), wanted.words()))
        }
        (None, Some(extra)) => Some(format!("{name}: {} came as well", words(extra))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(edges: &[(EventKind, Cause)]) -> Vec<Seen> {
        edges.iter().map(|&(event, cause)| Seen { event, cause: Some(cause) }).collect()
    }

    const UP: (EventKind, Cause) = (EventKind::Connected, Cause::Authenticated);
    const BYE: (EventKind, Cause) = (EventKind::Disconnected, Cause::ClientClosed);

    #[test]
    fn all_expected_edges_in_order_and_no_other_are_no_fault() {
        assert_eq!(fault("Lima", STOPPED, &seen(&[UP, BYE])), None);
        for cause in [Cause::HeartbeatResumed, Cause::Authenticated] {
            let lost = (EventKind::HeartbeatLost, Cause::HeartbeatTimeout);
            assert_eq!(fault("x", CUT, &seen(&[UP, lost, (EventKind::Connected, cause)])), None);
        }
    }

    #[test]
    fn a_missing_edge_is_named() {
        let fault = fault("Lima", STOPPED, &seen(&[UP])).unwrap();
        assert_eq!(fault, "Lima: satellite.disconnected (client_closed) never came");
    }

    #[test]
    fn a_wrong_order_a_wrong_cause_and_a_doubled_edge_are_faults() {
        assert!(fault("x", STOPPED, &seen(&[BYE, UP])).is_some());
        assert!(fault("x", KILLED, &seen(&[UP, BYE])).unwrap().contains("connection_lost"));
        assert!(fault("x", STOPPED, &seen(&[UP, BYE, BYE])).unwrap().ends_with("came as well"));
    }
}
