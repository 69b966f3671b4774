//! Everything that SQLite and PostgreSQL spell differently in queries. Nothing else in this crate
//! knows which of the two it speaks to, apart from opening one (`open`).
//!
//! What both understand is used as it is: `$1` as placeholder, `IS NOT DISTINCT FROM`,
//! `ON CONFLICT`, `RETURNING`, `UPDATE … FROM`, `CASE` in place of a two-argument `max`.

use sea_orm::DbBackend;

/// A database's own way with SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// The type of a column in a list of rows that is passed as one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Id,
    Int,
    Text,
}

impl Dialect {
    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// Begins a transaction that will write: SQLite takes its write lock at once, so that a busy
    /// database is noticed before anything is done.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// The rows of a JSON array of objects, `$1`, as a table: one parameter for any number of
    /// rows, and one prepared statement.
    pub(crate) fn rows(self, columns: &[(&str, Type)]) -> String {
        let column = |(name, kind): &(&str, Type)| match (self, kind) {
            (Self::Sqlite, Type::Id) => format!("unhex(j.value ->> '{name}', '-') AS {name}"),
            (Self::Sqlite, Type::Int | Type::Text) => format!("j.value ->> '{name}' AS {name}"),
            (Self::Postgres, Type::Id) => format!("{name} uuid"),
            (Self::Postgres, Type::Int) => format!("{name} bigint"),
            (Self::Postgres, Type::Text) => format!("{name} text"),
        };
        let columns = columns.iter().map(column).collect::<Vec<_>>().join(", ");
        match self {
            // The binary form spares reading an object's text once for each of its columns, which
            // is most of what a batch would cost.
            Self::Sqlite => format!("(SELECT {columns} FROM jsonb_each($1) AS j)"),
            Self::Postgres => {
                format!("(SELECT * FROM jsonb_to_recordset($1::jsonb) AS j ({columns}))")
            }
        }
    }

    /// The ids in a JSON array of their texts, `$1`, as a subquery.
    pub(crate) fn ids(self) -> &'static str {
        match self {
            Self::Sqlite => "(SELECT unhex(j.value, '-') FROM json_each($1) AS j)",
            Self::Postgres => "(SELECT j::uuid FROM jsonb_array_elements_text($1::jsonb) AS j)",
        }
    }

    /// What makes an `UPDATE … FROM … AS w` answer `column` of the rows that it used, where that is
    /// possible. Where it is not, nobody else writes during a transaction either, and asking
    /// afterwards which rows were used asks the same.
    pub(crate) fn returning(self, column: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!(" RETURNING w.{column}")),
        }
    }

    /// The ids in `column`, all in one text of 32 hexadecimal digits each: a hundred thousand ids
    /// as one row instead of as many.
    pub(crate) fn all_ids(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("group_concat(hex({column}), '')"),
            Self::Postgres => format!("string_agg(replace({column}::text, '-', ''), '')"),
        }
    }

    /// Whether the tags in `column` hold the key and the value of two placeholders.
    pub(crate) fn has_tag(self, column: &str, key: &str, value: &str) -> String {
        match self {
            Self::Sqlite => format!(
                "EXISTS (SELECT 1 FROM json_each({column}) AS t WHERE t.key = {key} AND t.value = {value})"
            ),
            Self::Postgres => format!("{column}::jsonb ->> {key} = {value}"),
        }
    }

    /// Whether the text in `column` contains that of a placeholder, which is in lower case
    /// already; without regard to the case of ASCII letters.
    pub(crate) fn contains(self, column: &str, text: &str) -> String {
        match self {
            Self::Sqlite => format!("instr(lower({column}), {text}) > 0"),
            Self::Postgres => format!("strpos(lower({column} COLLATE \"C\"), {text}) > 0"),
        }
    }

    /// What is done to a database that is closed for good.
    pub(crate) fn on_close(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA wal_checkpoint(TRUNCATE)"),
            Self::Postgres => None,
        }
    }

    /// The tables of the database that are not the database's own.
    pub(crate) fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
            Self::Postgres => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        }
    }

    /// What an error means, by the code that the database gave with it.
    pub(crate) fn meaning(self, code: &str) -> Meaning {
        match self {
            // Extended codes carry the primary one in their low byte.
            Self::Sqlite => match code.parse::<u32>().map(|code| code & 0xff) {
                Ok(8 | 13) => Meaning::RefusesWrites,
                Ok(1 | 19 | 20 | 25) => Meaning::OneStatement,
                Ok(11) => Meaning::Corrupt,
                Ok(26) => Meaning::NotADatabase,
                _ => Meaning::Unavailable,
            },
            Self::Postgres => match code.get(..2) {
                Some("22" | "23" | "42") => Meaning::OneStatement,
                Some("XX") => Meaning::Corrupt,
                _ if matches!(code, "53100" | "25006") => Meaning::RefusesWrites,
                _ => Meaning::Unavailable,
            },
        }
    }
}

/// What a database's error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The database is full, or read-only.
    RefusesWrites,
    /// The statement or its values: another might be taken.
    OneStatement,
    /// The database's own structures are broken.
    Corrupt,
    /// The file is something else.
    NotADatabase,
    /// Anything else: it cannot be reached, is busy, or its disk fails.
    Unavailable,
}
