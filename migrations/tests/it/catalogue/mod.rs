//! A whole schema as a set of lines that can be compared: what is in it, not how it came to be.

mod postgres;
mod sql;
mod sqlite;

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use testkit::Store;

/// Everything that a schema holds, a line a thing: tables, columns (without order), defaults, checks, keys,
/// foreign keys with deferral, indexes with predicates, triggers, functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schema(pub(crate) BTreeSet<String>);

impl Schema {
    pub(crate) async fn of(connection: &DatabaseConnection, store: Store) -> Self {
        Self(match store {
            Store::Sqlite => sqlite::lines(connection).await,
            Store::Postgres => postgres::lines(connection).await,
        })
    }

    /// What is in only one of the two: `-` for this one, `+` for the other.
    pub(crate) fn difference(&self, other: &Self) -> Vec<String> {
        let gone = self.0.difference(&other.0).map(|line| format!("- {line}"));
        let new = other.0.difference(&self.0).map(|line| format!("+ {line}"));
        gone.chain(new).collect()
    }
}

/// The first column of each row that a query answers.
pub(crate) async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await.unwrap_or_else(|err| panic!("{query}: {err}"));
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).unwrap_or_else(|err| panic!("{query}: {err}")))
        .collect()
}

/// The tables, without the one in which migrations are remembered.
pub(crate) async fn tables(connection: &DatabaseConnection, store: Store) -> Vec<String> {
    let query = match store {
        Store::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name <> 'seaql_migrations' ORDER BY name"
        }
        Store::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace \
             AND relname <> 'seaql_migrations' ORDER BY relname"
        }
    };
    texts(connection, query).await
}
