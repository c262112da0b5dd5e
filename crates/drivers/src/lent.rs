//! A connection to Postgres that a unit of work has borrowed from the pool, with the transaction that is open in it.
//!
//! The connection goes back to the pool only between two statements. A connection that was cut in the middle of a
//! statement, by a deadline or because its caller went away, is closed. Postgres may still be executing that statement,
//! and the next borrower would find itself in a transaction that is not its own. sqlx would give such a connection
//! back, and does not even end the transaction of one that was cut at BEGIN.

use std::sync::Arc;

use sea_orm::sqlx::{self, Database, PgConnection, PgPool, Postgres, SqlSafeStr as _, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager as _;
use tokio::{runtime::Handle, time::timeout};

use crate::{
    StoreError,
    patience::{PATIENCE, in_time},
};

type Manager = <Postgres as Database>::TransactionManager;

/// A connection and its transaction. Dropped, it rolls back.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: PoolConnection<Postgres>,
    /// Something was sent that is not answered in full.
    cut: bool,
    /// The transaction has not ended.
    open: bool,
    /// One more of those that are lent.
    #[expect(dead_code, reason = "it is held, and counts until it is dropped")]
    among: Arc<()>,
}

impl Lent {
    /// Takes a connection and begins with `statement`. It is counted among those that are lent.
    pub(crate) async fn begin(
        pool: &PgPool,
        statement: &'static str,
        among: &Arc<()>,
    ) -> Result<Self, StoreError> {
        in_time(async {
            let connection = pool.acquire().await?;
            let mut lent = Self { connection, cut: true, open: true, among: Arc::clone(among) };
            Manager::begin(&mut lent.connection, Some(statement.into_sql_str())).await?;
            lent.cut = false;
            Ok(lent)
        })
        .await
    }

    /// The connection, to send a statement. Until [`Self::answered`] says how that went, it is in the middle of it.
    pub(crate) fn asking(&mut self) -> &mut PgConnection {
        self.cut = true;
        &mut self.connection
    }

    /// Takes note of what came of the statement.
    pub(crate) fn answered<T>(&mut self, answer: &Result<T, StoreError>) {
        self.cut = match answer {
            // A refusal by Postgres itself is an answer; a silence or a broken line is none.
            Err(StoreError::Unavailable(cause)) => {
                !matches!(cause.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::Database(_)))
            }
            Ok(_) | Err(_) => false,
        };
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let answer = in_time(Manager::commit(self.asking())).await;
        self.ended(answer)
    }

    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        let answer = in_time(Manager::rollback(self.asking())).await;
        self.ended(answer)
    }

    fn ended(&mut self, answer: Result<(), StoreError>) -> Result<(), StoreError> {
        self.answered(&answer);
        self.open = answer.is_err();
        answer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.cut {
            // It keeps its place in the pool until it is closed.
            self.connection.close_on_drop();
            return;
        }
        if self.open {
            Manager::start_rollback(&mut self.connection);
        }
        // Going back it is asked once more. A Postgres that is silent then does not keep the place for ever.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(PATIENCE, self.connection.return_to_pool()));
        }
    }
}
