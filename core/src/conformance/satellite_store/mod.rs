//! The cases of [`SatelliteStore`], by topic. After each, the store is audited: every record and
//! every history in it must be one that the rules allow.

mod bench;
mod audit;
mod satellites;
mod names;
mod lists;
mod status;
mod liveness;
mod connect;
mod heartbeats;
mod resume;
mod close;
mod sweep;
mod overdue;
mod watch;
mod credentials;
mod tokens;
mod removal;
mod history;
mod batches;
mod races;
mod crowds;
mod durability;

use super::runner::Case;
use crate::ports::SatelliteStore;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    let audited = [
        satellites::cases(),
        names::cases(),
        lists::cases(),
        status::cases(),
        liveness::cases(),
        connect::cases(),
        heartbeats::cases(),
        resume::cases(),
        close::cases(),
        sweep::cases(),
        overdue::cases(),
        watch::cases(),
        credentials::cases(),
        tokens::cases(),
        removal::cases(),
        history::cases(),
        batches::cases(),
        races::cases(),
        crowds::cases(),
        durability::cases(),
    ];
    audited
        .into_iter()
        .flatten()
        .map(|case| case.then(|bench| Box::pin(audit::all(bench))))
        // What pruning leaves is no whole history, so it cannot be folded.
        .chain(history::pruning_cases())
        .collect()
}
