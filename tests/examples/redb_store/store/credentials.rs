//! Tokens, and what a change of them does to a session (rule T8).

use std::collections::BTreeSet;

use groundcontrol_core::ports::{CredentialAction, CredentialChange, Credentials, WriteOutcome};
use groundcontrol_core::satellite::{SatelliteId, TokenId};
use groundcontrol_core::time::Timestamp;
use redb::{ReadTransaction, WriteTransaction};

use super::connections::same_edge;
use super::error::Done;
use super::history::History;
use super::rows::{Fleet, Index, Row, Rows, row};
use super::tables::{INDEX, SATELLITES};

/// Tokens, record and versions from one commit: a connect is decided on all of them (rule T1).
pub(super) fn read(transaction: &ReadTransaction, id: SatelliteId) -> Done<Option<Credentials>> {
    let fleet = Fleet::read(transaction)?;
    let row = row(&transaction.open_table(SATELLITES)?, id)?;
    Ok(row.map(|row| Credentials {
        snapshot: row.snapshot(&fleet),
        enabled: row.satellite.enabled,
        tokens: row.tokens,
        agent: row.satellite.agent,
    }))
}

/// The credential and the close of its session in one write: between two, a session would live
/// on a credential that has ended (property P12).
pub(super) fn change(
    transaction: &WriteTransaction,
    change: CredentialChange,
) -> Done<WriteOutcome> {
    let fleet = Fleet::read(transaction)?;
    let mut rows = Rows::open(transaction, &fleet)?;
    let read = &change.read;
    let Some(before) = rows.get(read.satellite)? else { return Ok(WriteOutcome::Gone) };
    let same_version = before.credential_version == read.credential_version;
    if !(same_edge(&before.snapshot(&fleet), read) && same_version) {
        return Ok(WriteOutcome::Conflict);
    }
    if let Some(transition) = change.transition() {
        History::open(transaction)?.append(&transition)?;
    }
    let mut after = before.clone();
    if let Some(edge) = change.edge {
        after.record = edge.next;
    }
    apply(&mut after, change.action);
    rows.replace(Some(&before), &after)?;
    Ok(WriteOutcome::Applied)
}

fn apply(row: &mut Row, action: CredentialAction) {
    let same_credential = matches!(action, CredentialAction::Rehash { .. });
    if !same_credential {
        row.credential_version = row.credential_version.next();
    }
    match action {
        CredentialAction::Replace(token) => row.tokens = vec![token],
        CredentialAction::Overlap { new, until } => {
            for old in &mut row.tokens {
                old.expires_at = Some(old.expires_at.map_or(until, |end| end.min(until)));
            }
            row.tokens.push(new);
        }
        CredentialAction::Drop(dropped) => row.tokens.retain(|token| token.id != dropped),
        CredentialAction::SetEnabled(enabled) => row.satellite.enabled = enabled,
        CredentialAction::Rehash { token, hash } => {
            if let Some(rehashed) = row.tokens.iter_mut().find(|stored| stored.id == token) {
                rehashed.hash = hash;
            }
        }
    }
}

pub(super) fn expired(
    transaction: &ReadTransaction,
    now: Timestamp,
    limit: usize,
) -> Done<Vec<(SatelliteId, TokenId)>> {
    let (index, satellites) = (transaction.open_table(INDEX)?, transaction.open_table(SATELLITES)?);
    let ended = Index::TokenEnds.range(&index, i64::MIN, now.as_millis())?;
    let ids = ended.map(|entry| Ok(entry?.1)).collect::<Done<BTreeSet<_>>>()?;
    let mut expired = Vec::new();
    for id in ids {
        let Some(row) = row(&satellites, id)? else { continue };
        let over = row.tokens.iter().filter(|token| !token.is_valid_at(now));
        expired.extend(over.map(|token| (id, token.id)));
    }
    expired.truncate(limit);
    Ok(expired)
}

pub(super) fn any_slow_hash(transaction: &ReadTransaction) -> Done<bool> {
    let index = transaction.open_table(INDEX)?;
    Ok(Index::SlowHash.range(&index, 0, 0)?.next().transpose()?.is_some())
}
