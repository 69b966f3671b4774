//! The store of Ground Control on sea-orm: SQLite, embedded, and PostgreSQL, shared by any number of
//! pods.
//!
//! [`DatabaseStore`] implements [`SatelliteStore`](groundcontrol_core::ports::SatelliteStore) and
//! [`ApiTokenStore`](groundcontrol_core::ports::ApiTokenStore). Read `store` for the shape: reads
//! go to a few connections and are answered together where many callers ask for one row each;
//! writes queue for one task, which commits all that waited while it flushed in one transaction.
//! All SQL that the two databases spell differently is in `dialect`, all conversions from rows in
//! `rows`, everything about opening a database in `open`.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use groundcontrol_core::ports::SatelliteStore;
//! use groundcontrol_database::{DatabaseStore, Options};
//! # let folder = tempfile::tempdir().unwrap();
//! let url = format!("sqlite://{}/groundcontrol.db", folder.path().display());
//! let store = DatabaseStore::open(&url, Options::default()).await.unwrap();
//! assert_eq!(store.next_threshold().await, Ok(None));
//! store.close().await;
//! # });
//! ```

#![deny(missing_docs)]

mod store;
mod work;
mod runs;
mod packages;
mod secrets;
mod checkstack;
mod webhooks;
mod rules;
mod sinks;
mod open;
mod clock;
mod write;
mod read;
mod rows;
mod notice;
mod table;
mod dialect;
mod database;
mod postgres;
mod error;
#[cfg(test)]
mod tests;

pub use checkstack::{CheckstackSatellite, checkstack_satellites};
pub use clock::{DatabaseClock, MachineTime, ServerClock};
pub use open::{MigrationStep, OpenError, Options, migrate, migration_status};
pub use postgres::ServerLimits;
pub use store::{DatabaseStore, Stats};
