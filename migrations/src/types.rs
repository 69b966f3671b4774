//! The words of a schema that SQLite and PostgreSQL spell differently.

use sea_orm_migration::sea_orm::DbBackend;

/// Placeholder, SQLite's word, PostgreSQL's word.
///
/// * Ids are 16 bytes, as PostgreSQL's `uuid` is: half the size of their text, which counts in the
///   table that every heartbeat writes to. For people, `lower(hex(id))` shows them in SQLite.
/// * Text that is compared or sorted is compared by its bytes, as the core does.
/// * A clustered table saves the second look-up from index to row.
const WORDS: &[(&str, &str, &str)] = &[
    ("{id}", "BLOB", "uuid"),
    ("{int}", "INTEGER", "bigint"),
    ("{bytes}", "BLOB", "bytea"),
    ("{bool}", "INTEGER", "boolean"),
    ("{true}", "1", "true"),
    ("{false}", "0", "false"),
    ("{text}", "TEXT", "text COLLATE \"C\""),
    (
        "{position}",
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ),
    ("{clustered}", " STRICT, WITHOUT ROWID", ""),
    ("{strict}", " STRICT", ""),
];

/// `sql` in the words of `backend`.
pub(crate) fn spelled(sql: &str, backend: DbBackend) -> String {
    WORDS.iter().fold(sql.to_owned(), |sql, (word, sqlite, postgres)| {
        sql.replace(word, if backend == DbBackend::Postgres { postgres } else { sqlite })
    })
}
