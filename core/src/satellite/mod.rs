//! Who a satellite is: identity, validated text, threshold, credentials.

mod id;
pub(crate) mod text;
mod tags;
mod threshold;
mod credential;

pub use credential::{CredentialVersion, HashedToken, Token, TokenHash, TokenId, decoy_hash};
pub use id::{Epoch, PodName, SatelliteId, Seq, SessionId};
pub use tags::Tags;
pub use text::{Name, Region, ReportedAgent, TextError};
pub use threshold::{InvalidThreshold, Liveness, OwnThreshold};

use crate::desired::Manager;
use crate::time::Timestamp;

/// A satellite as an operator describes it, without its connection and its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Satellite {
    /// Its id, which is also the `clientId` it authenticates with.
    pub id: SatelliteId,
    /// Unique among all satellites.
    pub name: Name,
    /// Where it runs.
    pub region: Region,
    /// Free labels.
    pub tags: Tags,
    /// Its own offline threshold, or none for the default (rule S2).
    pub own_threshold: Option<OwnThreshold>,
    /// False: its sessions are revoked and it is refused until enabled again (rule T8).
    pub enabled: bool,
    /// What its agent last said of itself.
    pub agent: ReportedAgent,
    /// What made it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
    /// When it was created, store time.
    pub created_at: Timestamp,
}
