//! Tokens, and what a change of them does to a session (rule T8).

use groundcontrol_core::ports::{CredentialAction, CredentialChange, Credentials, WriteOutcome};
use groundcontrol_core::satellite::{SatelliteId, TokenHash, TokenId};
use groundcontrol_core::time::Timestamp;

use super::connection::same_edge;
use super::state::{Row, State};

impl State {
    pub(super) fn credentials(&self, id: SatelliteId) -> Option<Credentials> {
        self.satellites.get(&id).map(|row| Credentials {
            snapshot: self.snapshot_of(row),
            enabled: row.satellite.enabled,
            tokens: row.tokens.clone(),
            agent: row.satellite.agent.clone(),
        })
    }

    pub(super) fn change_credentials(&mut self, change: CredentialChange) -> WriteOutcome {
        let id = change.read.satellite;
        let Some(stored) = self.snapshot(id) else { return WriteOutcome::Gone };
        let same_version = stored.credential_version == change.read.credential_version;
        if !(same_edge(&stored, &change.read) && same_version) {
            return WriteOutcome::Conflict;
        }
        self.history.extend(change.transition());
        if let Some(row) = self.satellites.get_mut(&id) {
            if let Some(edge) = change.edge {
                row.record = edge.next;
            }
            apply(row, change.action);
        }
        WriteOutcome::Applied
    }

    pub(super) fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Vec<(SatelliteId, TokenId)> {
        let of_row = |row: &Row| {
            let expired = row.tokens.iter().filter(|token| !token.is_valid_at(now));
            expired.map(|token| (row.satellite.id, token.id)).collect::<Vec<_>>()
        };
        self.satellites.values().flat_map(of_row).take(limit).collect()
    }

    pub(super) fn has_slow_hashes(&self) -> bool {
        let mut tokens = self.satellites.values().flat_map(|row| &row.tokens);
        tokens.any(|token| matches!(token.hash, TokenHash::Bcrypt(_)))
    }
}

fn apply(row: &mut Row, action: CredentialAction) {
    let changed = row.credential_version.next();
    row.credential_version = match &action {
        CredentialAction::Rehash { .. } => row.credential_version,
        CredentialAction::Replace(_)
        | CredentialAction::Overlap { .. }
        | CredentialAction::Drop(_)
        | CredentialAction::SetEnabled(_) => changed,
    };
    match action {
        CredentialAction::Replace(token) => row.tokens = vec![token],
        CredentialAction::Overlap { new, until } => {
            row.tokens.retain(|old| old.id != new.id);
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
