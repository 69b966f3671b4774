//! Every source keeps the promises of its port, and what each does beyond them.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod double;
mod kept;
mod local;
mod vault;
