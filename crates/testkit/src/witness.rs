//! One who looks at a Postgres from beside: who waits for whom in it, and what stands in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

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

    /// Those of the sessions that wait for what another one holds, each with whom it waits for.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn waiting(&self, sessions: &[i32]) -> BTreeMap<i32, Vec<i32>> {
        let sql =
            format!("SELECT array_to_string(pid || pg_blocking_pids(pid), ' ') FROM {}", values(sessions));
        let rows = if sessions.is_empty() { Vec::new() } else { self.told(&sql).await };
        let numbers =
            |row: &String| -> Vec<i32> { row.split(' ').map(|pid| pid.parse().expect("a number")).collect() };
        let waiting = rows.iter().map(numbers).filter_map(|row| Some((*row.first()?, row[1..].to_vec())));
        waiting.filter(|(_, others)| !others.is_empty()).collect()
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
        let sql = format!("SELECT pid::text FROM {} WHERE {are}", values(sessions));
        self.told(&sql).await.iter().map(|pid| pid.parse().expect("a number")).collect()
    }
}

fn values(sessions: &[i32]) -> String {
    let numbers: Vec<_> = sessions.iter().map(|pid| format!("({pid})")).collect();
    format!("(VALUES {}) AS t (pid)", numbers.join(", "))
}

/// Sessions that wait for each other, in a circle, if there are any: `waiting` says who waits for whom.
#[must_use]
pub fn circle(waiting: &BTreeMap<i32, Vec<i32>>) -> Option<Vec<i32>> {
    // Whoever waits for none that waits is in no circle: what is left when all those are gone is one, or leads to one.
    let mut left = waiting.clone();
    loop {
        let free = left.iter().find(|(_, others)| !others.iter().any(|other| left.contains_key(other)));
        let Some(free) = free.map(|(pid, _)| *pid) else { break };
        left.remove(&free);
    }
    (!left.is_empty()).then(|| left.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::circle;

    #[test]
    fn who_waits_for_each_other_is_a_circle() {
        let among =
            |waits: &[(i32, &[i32])]| circle(&waits.iter().map(|(pid, of)| (*pid, of.to_vec())).collect());
        assert_eq!(among(&[]), None);
        assert_eq!(among(&[(1, &[2]), (2, &[3]), (4, &[2, 3])]), None);
        assert_eq!(among(&[(1, &[2]), (2, &[1])]), Some(vec![1, 2]));
        assert_eq!(among(&[(1, &[5, 2]), (2, &[3]), (3, &[1]), (4, &[5])]), Some(vec![1, 2, 3]));
    }
}
