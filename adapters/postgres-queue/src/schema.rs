//! The queue's tables.
//!
//! They are no steps of the store's schema: the queue may be another database, and needs nothing
//! of the store. Making them is idempotent, and members that start together take turns.

use sqlx::{Connection as _, PgConnection, Row as _};

/// Any number that nobody else takes turns by.
const TURN: i64 = 0x67_63_71_75_65_75_65;

const EXIST: &str = "SELECT to_regclass('groundcontrol_queue_jobs') IS NOT NULL";

/// Messages are about now: a crash of the server may take them, as every member then starts anew.
const TABLES: &[&str] = &[
    "CREATE UNLOGGED TABLE IF NOT EXISTS groundcontrol_queue_messages (
         id bigint PRIMARY KEY,
         member uuid NOT NULL,
         body text NOT NULL,
         sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
     )",
    "CREATE TABLE IF NOT EXISTS groundcontrol_queue_head (
         one boolean PRIMARY KEY DEFAULT true CHECK (one),
         last_id bigint NOT NULL
     )",
    "INSERT INTO groundcontrol_queue_head (last_id) VALUES (0) ON CONFLICT DO NOTHING",
    "CREATE TABLE IF NOT EXISTS groundcontrol_queue_jobs (
         name text PRIMARY KEY,
         token bigint NOT NULL,
         claimed_at timestamptz NOT NULL,
         held boolean NOT NULL,
         free_at timestamptz NOT NULL
     )",
];

/// Makes the tables where they are missing. Where they are there, the user needs no right to.
pub(crate) async fn make(connection: &mut PgConnection) -> sqlx::Result<()> {
    if sqlx::query(EXIST).fetch_one(&mut *connection).await?.try_get(0)? {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    let turn = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(TURN);
    turn.execute(&mut *transaction).await?;
    for table in TABLES {
        sqlx::query(*table).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// The channel on which members say that there is a message: one for each schema of a database.
pub(crate) const CHANNEL: &str =
    "SELECT 'groundcontrol_queue_' || 'groundcontrol_queue_messages'::regclass::oid";
