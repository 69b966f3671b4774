//! Secrets: how configurations refer to them, what they say, who gets them, and what is on record.

mod name;
mod value;
mod template;
mod place;
mod delivery;

#[cfg(test)]
mod tests;

pub use delivery::{Delivery, DeliveryPlace, StoredDelivery};
pub use name::{NotASecretName, SecretName};
pub use place::{ConfigPlace, PlaceError, Reader, RunPlace};
pub use template::{Piece, Pieces, has_reference, pieces};
pub use value::{ConfigValues, SecretValue, Secrets, Values};
