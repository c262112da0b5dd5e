//! The transaction that is open on either database: what is sent in it, and how it ends.
//!
//! Statements are built by sea-orm and sea-query; only this file hands them to sqlx. It does so itself, and
//! not through sea-orm's executor, because that copies every value before it sends it, cannot bind an array
//! with a NULL in it, and takes two round trips to begin a read.

use futures::TryStreamExt as _;
use sea_orm::{
    QueryResult, Values,
    sqlx::{
        self, Arguments as _, AssertSqlSafe, Executor as _, Row as _, Sqlite, SqliteConnection, Transaction,
        postgres::PgArguments,
    },
};

use crate::{StoreError, bind, lent::Lent, patience::in_time, together::Sends};

/// Dropped, it rolls back.
#[derive(Debug)]
pub(crate) enum Open {
    Postgres(Lent),
    Sqlite(Transaction<'static, Sqlite>),
}

impl Open {
    /// Sends a statement that answers no rows; gives how many it touched.
    pub(crate) async fn execute(&mut self, sql: &str, sends: Sends) -> Result<u64, StoreError> {
        match self {
            Self::Postgres(lent) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments(vec![sends])?);
                let done = in_time(query.execute(lent.asking())).await;
                lent.answered(&done);
                done.map(|done| done.rows_affected())
            }
            Self::Sqlite(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind::sqlite(Some(values_alone(sends)?))?);
                in_time(query.execute(&mut **tx)).await.map(|done| done.rows_affected())
            }
        }
    }

    /// Sends several statements, which `sql` is made of by [`as_one`](crate::together::as_one); gives how many rows
    /// each of them touched. On SQLite those behind one that fails are not carried out.
    pub(crate) async fn execute_all(&mut self, sql: &str, sends: Vec<Sends>) -> Result<Vec<u64>, StoreError> {
        let statements = sends.len();
        let touched = match self {
            Self::Postgres(lent) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments(sends)?);
                let row = in_time(query.fetch_one(lent.asking())).await;
                lent.answered(&row);
                let row = row?;
                let counts = (0..statements).map(|at| row.try_get::<i64, _>(at).map(i64::unsigned_abs));
                counts.collect::<Result<Vec<u64>, sqlx::Error>>()?
            }
            Self::Sqlite(tx) => {
                let mut all = Vec::new();
                for sends in sends {
                    all.extend(values_alone(sends)?.0);
                }
                let query = sqlx::query_with(AssertSqlSafe(sql), bind::sqlite(Some(Values(all)))?);
                let connection: &mut SqliteConnection = tx;
                let each = connection.execute_many(query).map_ok(|done| done.rows_affected());
                in_time(each.try_collect::<Vec<u64>>()).await?
            }
        };
        if touched.len() == statements {
            Ok(touched)
        } else {
            Err(StoreError::Database("not every statement of a text was answered".into()))
        }
    }

    /// Sends a statement and waits for all its rows.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        values: Option<Values>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        match self {
            Self::Postgres(lent) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind::postgres(values)?);
                let rows = in_time(query.fetch_all(lent.asking())).await;
                lent.answered(&rows);
                rows.map(|rows| rows.into_iter().map(Into::into).collect())
            }
            Self::Sqlite(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind::sqlite(values)?);
                let rows = in_time(query.fetch_all(&mut **tx)).await;
                rows.map(|rows| rows.into_iter().map(Into::into).collect())
            }
        }
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(lent) => lent.commit().await.map_err(StoreError::at_commit),
            Self::Sqlite(tx) => in_time(tx.commit()).await.map_err(StoreError::at_embedded_commit),
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(lent) => lent.rollback().await,
            Self::Sqlite(tx) => in_time(tx.rollback()).await,
        }
    }
}

/// What statements of Postgres are sent with, one behind the other.
fn arguments(all: Vec<Sends>) -> Result<PgArguments, StoreError> {
    let mut args = PgArguments::default();
    for sends in all {
        match sends {
            Sends::Rows(rows) => args.add(rows).map_err(StoreError::Database)?,
            Sends::Values(values) => bind::add(&mut args, values.0)?,
        }
    }
    Ok(args)
}

/// What a statement of SQLite is sent with.
fn values_alone(sends: Sends) -> Result<Values, StoreError> {
    match sends {
        Sends::Values(values) => Ok(values),
        Sends::Rows(_) => Err(StoreError::Database("rows of a row type are for Postgres".into())),
    }
}
