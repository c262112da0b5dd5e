//! Where the two stores differ, said once: the types of columns and the checks that come with them.
//!
//! This file and [`crate::table`] are as frozen as a released migration, for every migration is rendered by
//! them: what they make of a released one must not change (the test `released` holds that).

use std::fmt::Write as _;

/// A store's way to say things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The canonical store.
    Postgres,
    /// The embedded store. Its tables are STRICT, so that a column holds its type there too.
    Sqlite,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A UUID: 16 bytes on SQLite.
    Id,
    /// SHA-256 or HMAC: 32 bytes.
    Hash,
    /// Bytes of any length.
    Bytes,
    /// Text, and JSON that must come back as it went.
    Text,
    /// True or false: 1 or 0 on SQLite.
    Bool,
    /// A whole number from 0: counts, tokens, micro-USD, milliseconds.
    Count,
    /// A whole number.
    Int,
    /// A moment, UTC, in microseconds. On SQLite the text that sqlx writes; it sorts as time does.
    Time,
    /// One of a closed vocabulary.
    Word(Vec<String>),
}

impl Dialect {
    /// The store's own type.
    pub(crate) fn sql_type(self, kind: &Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Id) => "uuid",
            (Self::Postgres, Kind::Hash | Kind::Bytes) => "bytea",
            (Self::Postgres, Kind::Bool) => "boolean",
            (Self::Postgres, Kind::Count | Kind::Int) => "bigint",
            (Self::Postgres, Kind::Time) => "timestamptz",
            (Self::Postgres, Kind::Text | Kind::Word(_)) => "text",
            (Self::Sqlite, Kind::Id | Kind::Hash | Kind::Bytes) => "BLOB",
            (Self::Sqlite, Kind::Bool | Kind::Count | Kind::Int) => "INTEGER",
            (Self::Sqlite, Kind::Text | Kind::Time | Kind::Word(_)) => "TEXT",
        }
    }

    /// What must hold of a column's value, if its type does not say so already.
    pub(crate) fn check(self, column: &str, kind: &Kind) -> Option<String> {
        match (self, kind) {
            (_, Kind::Hash) => Some(format!("length({column}) = 32")),
            (_, Kind::Count) => Some(format!("{column} >= 0")),
            (_, Kind::Word(words)) => {
                let mut list = String::new();
                for word in words {
                    let comma = if list.is_empty() { "" } else { ", " };
                    let _ = write!(list, "{comma}'{word}'");
                }
                Some(format!("{column} IN ({list})"))
            }
            (Self::Sqlite, Kind::Id) => Some(format!("length({column}) = 16")),
            (Self::Sqlite, Kind::Bool) => Some(format!("{column} IN (0, 1)")),
            (Self::Sqlite, Kind::Time) => Some(format!("{column} LIKE '____-__-__T__:__:__%+00:00'")),
            (_, Kind::Bytes | Kind::Text | Kind::Int)
            | (Self::Postgres, Kind::Id | Kind::Bool | Kind::Time) => None,
        }
    }
}
