//! A session that is none of ours: it holds locks for as long as a test wants.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement, TransactionTrait as _};

use crate::TestDatabase;

/// How long a state is waited for, in looks of [`LOOK`] each: far longer than it takes.
const LOOKS: usize = 2_000;
const LOOK: Duration = Duration::from_millis(5);

/// An open transaction with what it has locked. Dropped, it lets go too, but nobody knows when.
#[derive(Debug)]
#[must_use = "a stranger that is dropped holds nothing"]
pub struct Stranger {
    open: DatabaseTransaction,
}

impl Stranger {
    /// Lets go of everything.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn let_go(self) {
        self.open.rollback().await.expect("the store lets go");
    }
}

impl TestDatabase {
    /// A session that does `sql` and then nothing, on Postgres: `SELECT .. FOR UPDATE` holds rows, `LOCK TABLE` a
    /// table.
    ///
    /// # Panics
    /// Where the store refuses it.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn stranger(&self, sql: &str) -> Stranger {
        let open = self.connection().await.begin().await.expect("a transaction");
        open.execute_unprepared(sql).await.unwrap_or_else(|err| panic!("{sql}: {err}"));
        Stranger { open }
    }

    /// Waits until so many sessions wait for a lock on Postgres, which is when those that were called are where a test
    /// wants them.
    ///
    /// # Panics
    /// Where that does not come.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn until_blocked(&self, sessions: i64) {
        let connection = self.connection().await;
        let blocked = "SELECT count(*) AS n FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..LOOKS {
            let blocked = Statement::from_string(DbBackend::Postgres, blocked);
            let row = connection.query_one_raw(blocked).await.expect("the store answers").expect("a row");
            if row.try_get::<i64>("", "n").expect("a count") >= sessions {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{sessions} sessions never waited for a lock");
    }
}
