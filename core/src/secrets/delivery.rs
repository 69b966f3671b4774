//! What is on record of a delivery: who asked for which place, which secrets that names, and what
//! became of it. Never a value.

use super::name::SecretName;
use crate::limits::MAX_DELIVERY_ERROR_CHARS;
use crate::satellite::{PodName, SatelliteId};
use crate::time::Timestamp;

/// One answer to a satellite that asked for secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who asked.
    pub satellite: SatelliteId,
    /// For which place.
    pub place: DeliveryPlace,
    /// For which run, in the satellite's words.
    pub run_id: String,
    /// Which secrets the place names, in the order of their names; none where there is no such
    /// place.
    pub names: Vec<SecretName>,
    /// Why nothing was delivered; none: all of them were.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Which pod answered.
    pub pod: PodName,
}

/// A place, in the satellite's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPlace {
    /// The assignment.
    pub config_id: String,
    /// The collector whose environment it is; none: what is inside the configuration.
    pub collector_id: Option<String>,
}

impl Delivery {
    /// A satellite's words as they are kept: on one line, and cut to
    /// [`MAX_DELIVERY_ERROR_CHARS`].
    pub fn kept(said: &str) -> String {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        said.chars().map(printable).take(MAX_DELIVERY_ERROR_CHARS).collect()
    }
}

impl DeliveryPlace {
    /// The place that a satellite names.
    pub fn new(config_id: &str, collector_id: Option<&str>) -> Self {
        Self {
            config_id: Delivery::kept(config_id),
            collector_id: collector_id.map(Delivery::kept),
        }
    }
}

/// A delivery as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Grows with each that is kept.
    pub number: u64,
    /// What is kept.
    pub delivery: Delivery,
}
