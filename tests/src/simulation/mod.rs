//! Deterministic simulation: real pods, real session machines, and everything around them made
//! up: clocks, network, store connections, satellites, operators.
//!
//! One seed decides everything about a run: how many pods and satellites, their thresholds, what
//! goes wrong and when. The same seed gives the same run, step by step. First things go wrong,
//! and nothing may happen that must never happen; then everything works again, and must come
//! right in bounded time.
//!
//! Reading order: [`Parameters`] are what a seed decides beforehand; a `Process` is what can be
//! stopped and killed; a `Host` runs one pod after the other in processes; a `PodStore` is a
//! pod's connection to the store; `Line`, `socket` and `Agent` are the two ends of a connection;
//! `Operator`, `chaos` and `audit` are what is done to all that; the `Judge` says what must not
//! be; `phases` is the course of a run.
//!
//! ```
//! use groundcontrol_testkit::simulation::{Options, run};
//! let report = run(7, Options::default());
//! assert_eq!(report.violation, None);
//! ```

mod dice;
mod parameters;
mod clock;
mod process;
mod trace;
mod violation;
mod planted;
mod pipe;
mod line;
mod nudges;
mod jobs;
mod faults;
mod store;
mod judge;
mod world;
mod host;
mod socket;
mod agent;
mod desk;
mod follower;
mod audit;
mod chaos;
mod phases;
mod report;

pub use parameters::Parameters;
pub use planted::PlantedBug;
pub use report::{Options, Report, run};
pub use trace::{Step, Tracing};
pub use violation::{Class, Property, Violation};
