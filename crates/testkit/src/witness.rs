//! One who looks at a Postgres from beside: who waits for whom in it, and what stands in it.

use std::{collections::BTreeSet, time::Duration};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

use crate::TestDatabase;

/// A connection of its own, past every replica.
#[derive(Debug)]
pub struct Witness(DatabaseConnection);

impl Witness {
    /// One who looks at that database.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn of(database: &TestDatabase) -> Self {
        Self(database.connection().await)
    }

    /// The first column of a query's rows, which must be text.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn told(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let rows = self.0.query_all_raw(statement).await.unwrap_or_else(|err| panic!("{sql}: {err}"));
        rows.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
    }

    /// Those of the sessions that wait for what another one holds.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn waiting(&self, sessions: &[i32]) -> BTreeSet<i32> {
        self.which(sessions, "cardinality(pg_blocking_pids(pid)) > 0").await
    }

    /// Waits until none of the sessions is there any more, and what they held is free.
    ///
    /// # Panics
    /// Where the store fails, and where one of them stays for ten seconds.
    pub async fn gone(&self, sessions: &[i32]) {
        for _ in 0..5_000 {
            let there = "EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.pid = t.pid)";
            if self.which(sessions, there).await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("Postgres keeps sessions whose connections were lost: {sessions:?}");
    }

    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    async fn which(&self, sessions: &[i32], are: &str) -> BTreeSet<i32> {
        if sessions.is_empty() {
            return BTreeSet::new();
        }
        let numbers: Vec<_> = sessions.iter().map(|pid| format!("({pid})")).collect();
        let sql = format!("SELECT pid::text FROM (VALUES {}) AS t (pid) WHERE {are}", numbers.join(", "));
        self.told(&sql).await.iter().map(|pid| pid.parse().expect("a number")).collect()
    }
}
