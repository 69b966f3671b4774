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

/// What transactions of several pods do one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Giving positions to events, until they are committed: so the order of positions is that of
    /// commits, and who has read up to one has missed none before it.
    Events,
    /// Changing what a silence depends on besides its satellite: span, leases, settings.
    Watching,
    /// Recording silences, which depend on that.
    WatchingAsRead,
    /// Saying which packages there shall be, and forgetting those that nobody needs.
    Packages,
}

/// The first half of the advisory locks' keys: Ground Control's.
pub(crate) const LOCKS: i32 = 0x6763_0001;

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

    /// The rows that [`table::parameters`](crate::table::parameters) passes, as a table.
    pub(crate) fn rows(self, columns: &[(&str, Type)]) -> String {
        match self {
            // The binary form spares reading a row's text once for each of its columns, which is
            // most of what a batch would cost.
            Self::Sqlite => {
                let column = |(at, (name, kind)): (usize, &(&str, Type))| match kind {
                    Type::Id => format!("unhex(j.value ->> {at}, '-') AS {name}"),
                    Type::Int | Type::Text => format!("j.value ->> {at} AS {name}"),
                };
                let columns: Vec<_> = columns.iter().enumerate().map(column).collect();
                format!("(SELECT {} FROM jsonb_each($1) AS j)", columns.join(", "))
            }
            Self::Postgres => {
                let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
                let array = |(at, (_, kind)): (usize, &(&str, Type))| {
                    let kind = match kind {
                        Type::Id => "uuid",
                        Type::Int => "bigint",
                        Type::Text => "text",
                    };
                    format!("${}::{kind}[]", at + 1)
                };
                let arrays: Vec<_> = columns.iter().enumerate().map(array).collect();
                let (arrays, names) = (arrays.join(", "), names.join(", "));
                format!("(SELECT * FROM unnest({arrays}) AS j ({names}))")
            }
        }
    }

    /// The placeholder of the parameter that follows those of [`rows`](Self::rows).
    pub(crate) fn after_rows(self, columns: &[(&str, Type)]) -> String {
        match self {
            Self::Sqlite => "$2".to_owned(),
            Self::Postgres => format!("${}", columns.len() + 1),
        }
    }

    /// The ids that [`table::ids`](crate::table::ids) passes as `$1`, as a subquery.
    pub(crate) fn ids(self) -> &'static str {
        match self {
            Self::Sqlite => "(SELECT unhex(j.value, '-') FROM json_each($1) AS j)",
            Self::Postgres => "(SELECT unnest($1::uuid[]))",
        }
    }

    /// What a transaction waits for before it goes on, until it ends; none where there is but one
    /// transaction at a time. Each lock is named after a table, so that schemas do not share it.
    pub(crate) fn lock(self, lock: Lock) -> Option<String> {
        let (function, table) = match (self, lock) {
            (Self::Sqlite, _) => return None,
            (Self::Postgres, Lock::Events) => ("pg_advisory_xact_lock", "transitions"),
            (Self::Postgres, Lock::Packages) => ("pg_advisory_xact_lock", "desired_packages"),
            (Self::Postgres, Lock::Watching) => ("pg_advisory_xact_lock", "watch_span"),
            (Self::Postgres, Lock::WatchingAsRead) => {
                ("pg_advisory_xact_lock_shared", "watch_span")
            }
        };
        Some(format!("SELECT {function}({LOCKS}, '{table}'::regclass::oid::int4)"))
    }

    /// Locks the records of `$1`, in the one order in which everybody does; none where there is
    /// but one transaction at a time.
    pub(crate) fn lock_records(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(
                "SELECT satellite_id FROM satellite_connections WHERE satellite_id = ANY($1) \
                 ORDER BY satellite_id FOR NO KEY UPDATE",
            ),
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
            Self::Postgres => match (code, code.get(..2)) {
                ("40001" | "40P01", _) => Meaning::Overtaken,
                ("53100" | "25006", _) => Meaning::RefusesWrites,
                ("XX001" | "XX002", _) => Meaning::Corrupt,
                (_, Some("22" | "23" | "42")) => Meaning::OneStatement,
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
    /// Another transaction was in the way, and this one was undone for it: worth another try.
    Overtaken,
    /// The connection was lost, and with it whatever was not committed: worth another try.
    Lost,
    /// Anything else: it cannot be reached, is busy, or its disk fails.
    Unavailable,
}
