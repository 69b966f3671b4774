//! References to secrets in configurations.

mod template;

pub use template::{Piece, Pieces, has_reference, pieces};
