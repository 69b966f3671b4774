//! What must hold of any bytes. Each function panics where it does not; `cargo fuzz` looks for
//! bytes that make it, and the test suite replays what was kept.

#![deny(missing_docs)]

mod session;
mod text;
mod transitions;
mod wire;

pub use session::session;
pub use text::text;
pub use transitions::transitions;
pub use wire::wire;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] =
    &[("session", session), ("text", text), ("transitions", transitions), ("wire", wire)];
