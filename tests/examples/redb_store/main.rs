//! A third party's adapter: the satellites' store on redb, an embedded key-value store. It is the
//! text to start your own from.
//!
//! `store/` is the adapter, `fixture.rs` makes a fresh one for each case, and running this puts it
//! through the suite of its port: `cargo run -p groundcontrol-testkit --example redb_store`.
//! In a project of your own the suite is a test, as in `tests/tests/redb_store.rs`.

#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

mod store;
mod folder;
mod fixture;

use std::process::ExitCode;

use groundcontrol_core::conformance;

#[tokio::main]
async fn main() -> ExitCode {
    let report = conformance::satellite_store(fixture::fresh).await;
    println!("{report}");
    match report.passed() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
