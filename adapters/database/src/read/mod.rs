//! Reads: on a few connections of their own, which never wait for a write.

mod filter;
mod batch;
mod together;
mod connections;
mod list;
mod monitor;
mod history;
pub(crate) mod fleet;
mod api_tokens;
pub(crate) mod work;
pub(crate) mod runs;
mod quiet;
pub(crate) mod packages;
pub(crate) mod blobs;
pub(crate) mod secrets;
pub(crate) mod webhooks;
pub(crate) mod rules;
pub(crate) mod configurations;

pub(crate) use api_tokens::{api_tokens, find_api_token};
pub(crate) use batch::Counters as Lookups;
pub(crate) use history::{events_after, newest_event, transitions};
pub(crate) use list::{get_many, list, online_ids};
pub(crate) use monitor::{
    expired_tokens, has_slow_hashes, next_threshold, overdue, smallest_threshold,
};
pub(crate) use quiet::quiet_pairs;
pub(crate) use together::BatchedReads;

/// A limit as a parameter.
fn limit(limit: usize) -> sea_orm::Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

/// A number that only grows, as databases keep it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The statements whose plans are tested.
#[cfg(test)]
pub(crate) mod plans {
    pub(crate) use super::blobs::PUT_BEFORE;
    pub(crate) use super::connections::{
        credentials_sql as credentials, snapshots_sql as snapshots,
    };
    pub(crate) use super::history::events_after_sql as events_after;
    pub(crate) use super::list::{list_sql as list, online_ids_sql as online_ids};
    pub(crate) use super::monitor::{
        EXPIRED_TOKENS, SLOW_HASH, next_threshold_sql as next_threshold, overdue_sql as overdue,
        smallest_threshold_sql as smallest_threshold,
    };
    pub(crate) use super::packages::{
        LOCKFILE, blob_of_sql as blob_of, held_sql as held, sync_states_sql as sync_states,
    };
    pub(crate) use super::quiet::{assigned_sql as assigned, quiet_sql as quiet};
    pub(crate) use super::runs::latest_runs_sql as latest_runs;
    pub(crate) use super::secrets::deliveries_sql as secret_deliveries;
    pub(crate) use super::webhooks::{
        BACKLOG, DUE, IDLE, deliveries_sql as deliveries, events_at_sql as events_at,
    };
}
