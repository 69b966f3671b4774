//! What an agent can check: strategies, which connect to something, and collectors, which look at
//! it once connected.
//!
//! [`Probes`] knows the strategies by their names and runs a [`Check`]: connect, run all
//! collectors at once, close. What was seen becomes a [`Report`], whose `result` is the one that a
//! `result` message carries. Nothing here judges: that a page answers 500 is a finding; that
//! nobody answers is a failure.
//!
//! A strategy of your own implements [`Strategy`] and [`Connection`] and is registered with
//! [`Probes::with`].
//!
//! ```
//! use groundcontrol_probes::{Check, Config, Entry, Probes, Settings};
//! use serde_json::json;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
//! let port = listener.local_addr().unwrap().port();
//! let probes = Probes::new(Settings::default()).unwrap();
//! let check = Check {
//!     strategy: "tcp".to_owned(),
//!     config: Config::new(json!({"host": "127.0.0.1", "port": port})),
//!     collectors: vec![],
//!     hidden: vec![],
//! };
//! let report = probes.run(&check).await;
//! assert!(report.healthy, "{}", report.result);
//! # });
//! ```

#![deny(missing_docs)]

mod check;
mod strategy;
mod error;
mod probes;
mod report;
mod config;
mod mask;
mod capture;
mod http;
mod tcp;
mod dns;
mod tls;
mod ping;
mod script;

pub use check::{Check, Config, Entry};
pub use error::{ProbeError, SettingsError, Unsupported};
pub use probes::{Probes, Settings};
pub use report::Report;
pub use strategy::{Connection, Finding, Strategy, Task};
