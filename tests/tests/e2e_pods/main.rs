//! Several pods as real processes, on one database, with a queue and simulated agents.
//!
//! What must hold here is what `tests/src/fleet/checker` says, and what each test says besides.

mod support;
mod elsewhere;
mod admin_token;
mod rolling_restart;
mod results;
mod database_away;
mod all_pods_down;
mod clocks;
mod chaos;
