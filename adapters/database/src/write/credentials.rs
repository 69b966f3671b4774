//! Changes of credentials, with the close of the session that ends with them (rule T8).

use async_trait::async_trait;
use groundcontrol_core::ports::{CredentialAction, CredentialChange, WriteOutcome};
use groundcontrol_core::satellite::CredentialVersion;
use sea_orm::Value;

use super::edges;
use super::job::Write;
use super::satellites::{count, insert_token};
use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;

/// Changes a satellite's credentials.
pub(crate) struct ChangeCredentials(pub(crate) CredentialChange);

#[async_trait]
impl Write for ChangeCredentials {
    type Output = WriteOutcome;
    const DOING: &'static str = "change a satellite's credentials";

    async fn write(
        &self,
        database: &Database,
        recording: &mut Recording,
    ) -> Result<WriteOutcome, Failure> {
        let change = &self.0;
        if !self.claim(database).await? {
            return edges::refused(database, change.read.satellite.0).await;
        }
        if let Some(transition) = change.transition() {
            recording.add(transition, &change.read);
        }
        self.act(database).await?;
        Ok(WriteOutcome::Applied)
    }
}

impl ChangeCredentials {
    /// Moves version and record on, if seq, epoch and version are as read.
    async fn claim(&self, database: &Database) -> Result<bool, Failure> {
        let CredentialChange { read, edge, .. } = &self.0;
        let version = self.next_version();
        if let Some(change) = edge {
            let row = edges::Row::new(read, &change.next);
            let row = row.with_credential(read).with_version(version.0);
            return Ok(!edges::update(database, &[row]).await?.is_empty());
        }
        // Without an edge the record is not written: its heartbeat time may have moved on.
        let update = "UPDATE satellite_connections SET credential_version = $5 \
            WHERE satellite_id = $1 AND epoch = $2 AND seq = $3 AND credential_version = $4";
        let values = [
            read.satellite.0.into(),
            count(read.record.epoch.0),
            count(read.record.seq.0),
            count(read.credential_version.0),
            count(version.0),
        ];
        database.execute(update, values).await.map(|rows| rows == 1)
    }

    fn next_version(&self) -> CredentialVersion {
        let read = self.0.read.credential_version;
        match self.0.action {
            CredentialAction::Rehash { .. } => read,
            CredentialAction::Replace(_)
            | CredentialAction::Overlap { .. }
            | CredentialAction::Drop(_)
            | CredentialAction::SetEnabled(_) => read.next(),
        }
    }

    async fn act(&self, database: &Database) -> Result<(), Failure> {
        let satellite = self.0.read.satellite;
        let id = Value::from(satellite.0);
        match &self.0.action {
            CredentialAction::Replace(token) => {
                run(database, "DELETE FROM satellite_tokens WHERE satellite_id = $1", [id]).await?;
                insert_token(database, satellite, token).await
            }
            CredentialAction::Overlap { new, until } => {
                let shorten = "UPDATE satellite_tokens SET expires_at = $2 \
                    WHERE satellite_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
                run(database, shorten, [id, until.as_millis().into()]).await?;
                insert_token(database, satellite, new).await
            }
            CredentialAction::Drop(token) => {
                let delete =
                    "DELETE FROM satellite_tokens WHERE satellite_id = $1 AND token_id = $2";
                run(database, delete, [id, token.0.into()]).await
            }
            CredentialAction::SetEnabled(enabled) => {
                let update = "UPDATE satellites SET enabled = $2 WHERE id = $1";
                run(database, update, [id, (*enabled).into()]).await
            }
            CredentialAction::Rehash { token, hash } => {
                let update = "UPDATE satellite_tokens SET hash = $3 \
                    WHERE satellite_id = $1 AND token_id = $2";
                run(database, update, [id, token.0.into(), hash.to_stored().into()]).await
            }
        }
    }
}

async fn run<const N: usize>(
    database: &Database,
    sql: &str,
    values: [Value; N],
) -> Result<(), Failure> {
    database.execute(sql, values).await.map(drop)
}
