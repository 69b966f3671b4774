//! Every driven port of Ground Control in memory: the reference adapter.
//!
//! For tests, for the simulator, and to read: [`MemoryStore`] is the shortest code that keeps
//! every promise of the store ports, so it says what another adapter must do. Nothing survives
//! the process, and reads that a database answers from an index are scans here.
//!
//! ```
//! use groundcontrol_core::ports::Clock;
//! use groundcontrol_core::time::{Millis, Timestamp};
//! use groundcontrol_memory::ManualClock;
//! let clock = ManualClock::starting_at(Timestamp::from_millis(1_000));
//! clock.advance(Millis::from_secs(1));
//! assert_eq!(clock.now(), Timestamp::from_millis(2_000));
//! ```

#![deny(missing_docs)]

mod clock;
mod broadcast;
mod recurring_work;
mod secrets;
mod store;

pub use broadcast::MemoryBroadcast;
pub use clock::{ManualClock, SystemClock};
pub use recurring_work::MemoryWork;
pub use secrets::MemorySecrets;
pub use store::MemoryStore;
