//! Nudges on their way between pods: how they wait, and how they are written.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use uuid::Uuid;

use super::Nudge;
use crate::automation::WebhookId;
use crate::limits::MAX_WAITING_NUDGES;
use crate::satellite::{Epoch, SatelliteId};

/// Nudges that wait to be sent to other pods, for adapters that need to wait. Each is there once,
/// as hearing one twice tells nothing new; where too many wait, those that come later are dropped
/// and all pods are told [`Nudge::Missed`] instead.
#[derive(Clone, Debug, Default)]
pub struct WaitingNudges(BTreeSet<Nudge>);

impl WaitingNudges {
    /// Lets `nudge` wait; false where there was no room for it, and `Missed` waits in its place.
    pub fn push(&mut self, nudge: Nudge) -> bool {
        let fits = self.0.len() < MAX_WAITING_NUDGES || self.0.contains(&nudge);
        self.0.insert(if fits { nudge } else { Nudge::Missed });
        fits
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that wait as one text of some 100 KiB at most, for [`nudges_in`] on the other side;
    /// none wait then. To send it again after a failure, [`push`](Self::push) what is in it.
    ///
    /// ```
    /// use groundcontrol_core::ports::{Nudge, WaitingNudges, nudges_in};
    /// let mut waiting = WaitingNudges::default();
    /// waiting.push(Nudge::Events);
    /// waiting.push(Nudge::Events);
    /// let text = waiting.take_text();
    /// assert_eq!(nudges_in(&text).collect::<Vec<_>>(), [Nudge::Events]);
    /// ```
    pub fn take_text(&mut self) -> String {
        let mut text = String::new();
        for nudge in std::mem::take(&mut self.0) {
            // Writing to a string does not fail.
            let _ = match nudge {
                Nudge::Events => writeln!(text, "events"),
                Nudge::Connected { satellite, epoch } => {
                    writeln!(text, "connected {satellite} {epoch}")
                }
                Nudge::Revoked { satellite, epoch } => {
                    writeln!(text, "revoked {satellite} {epoch}")
                }
                Nudge::Removed { satellite } => writeln!(text, "removed {satellite}"),
                Nudge::Displaced { satellite, epoch, remote } => {
                    writeln!(text, "displaced {satellite} {epoch} {remote}")
                }
                Nudge::ConfigChanged { satellite } => writeln!(text, "config-changed {satellite}"),
                Nudge::WorkChanged => writeln!(text, "work-changed"),
                Nudge::Configured { satellite } => writeln!(text, "configured {satellite}"),
                Nudge::PackagesChanged => writeln!(text, "packages-changed"),
                Nudge::WebhookPaused { webhook } => writeln!(text, "webhook-paused {webhook}"),
                Nudge::Missed => writeln!(text, "missed"),
            };
        }
        text
    }
}

/// The nudges in a text of [`WaitingNudges::take_text`]. A line that this version does not
/// understand is a [`Nudge::Missed`]: another version has something to say.
pub fn nudges_in(text: &str) -> impl Iterator<Item = Nudge> {
    text.lines().map(|line| parse(line).unwrap_or(Nudge::Missed))
}

fn parse(line: &str) -> Option<Nudge> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let satellite = words.next().map(|id| Uuid::parse_str(id).map(SatelliteId));
    let epoch = words.next().map(|number| number.parse().map(Epoch));
    let remote = words.next().map(str::parse);
    match (kind, satellite, epoch, remote) {
        ("events", None, None, None) => Some(Nudge::Events),
        ("connected", Some(Ok(satellite)), Some(Ok(epoch)), None) => {
            Some(Nudge::Connected { satellite, epoch })
        }
        ("revoked", Some(Ok(satellite)), Some(Ok(epoch)), None) => {
            Some(Nudge::Revoked { satellite, epoch })
        }
        ("removed", Some(Ok(satellite)), None, None) => Some(Nudge::Removed { satellite }),
        ("displaced", Some(Ok(satellite)), Some(Ok(epoch)), Some(Ok(remote))) => {
            Some(Nudge::Displaced { satellite, epoch, remote })
        }
        ("config-changed", Some(Ok(satellite)), None, None) => {
            Some(Nudge::ConfigChanged { satellite })
        }
        ("work-changed", None, None, None) => Some(Nudge::WorkChanged),
        ("configured", Some(Ok(satellite)), None, None) => Some(Nudge::Configured { satellite }),
        ("packages-changed", None, None, None) => Some(Nudge::PackagesChanged),
        ("webhook-paused", Some(Ok(SatelliteId(id))), None, None) => {
            Some(Nudge::WebhookPaused { webhook: WebhookId(id) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn removed(number: usize) -> Nudge {
        Nudge::Removed { satellite: SatelliteId(Uuid::from_u128(number as u128)) }
    }

    #[test]
    fn every_kind_of_nudge_survives_its_text() {
        let (satellite, epoch) = (SatelliteId(Uuid::from_u128(7)), Epoch(u64::MAX));
        let mut waiting = WaitingNudges::default();
        let kinds = [
            Nudge::Events,
            Nudge::Connected { satellite, epoch },
            Nudge::Revoked { satellite, epoch },
            Nudge::Removed { satellite },
            Nudge::Displaced { satellite, epoch, remote: Ipv6Addr::LOCALHOST.into() },
            Nudge::ConfigChanged { satellite },
            Nudge::WorkChanged,
            Nudge::Configured { satellite },
            Nudge::PackagesChanged,
            Nudge::WebhookPaused { webhook: WebhookId(Uuid::from_u128(8)) },
            Nudge::Missed,
        ];
        assert!(kinds.iter().all(|nudge| waiting.push(*nudge)));
        assert!(!waiting.is_empty());
        let text = waiting.take_text();
        assert_eq!(nudges_in(&text).collect::<Vec<_>>(), kinds);
        assert!(waiting.is_empty());
    }

    #[test]
    fn what_another_version_says_makes_this_one_look_at_everything() {
        for line in ["", "events now", "moved x", "removed", "connected x 1", "revoked 1 1 1"] {
            let heard: Vec<_> = nudges_in(&format!("{line}\n")).collect();
            assert_eq!(heard, [Nudge::Missed], "{line:?}");
        }
    }

    #[test]
    fn of_too_many_nudges_the_first_stay_and_the_rest_is_told_as_missed() {
        let mut waiting = WaitingNudges::default();
        assert!((0..MAX_WAITING_NUDGES).all(|number| waiting.push(removed(number))));
        assert!(waiting.push(removed(0)));
        assert!(!waiting.push(removed(MAX_WAITING_NUDGES)));
        let heard: BTreeSet<_> = nudges_in(&waiting.take_text()).collect();
        assert_eq!(heard.len(), MAX_WAITING_NUDGES + 1);
        assert!(heard.contains(&removed(0)) && heard.contains(&Nudge::Missed));
        assert!(!heard.contains(&removed(MAX_WAITING_NUDGES)));
    }
}
