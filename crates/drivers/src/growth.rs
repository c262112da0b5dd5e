//! Has Postgres count its tables again as they grow, so that it plans by what is in them.
//!
//! A connection plans a statement once, by what Postgres knows of the tables at that moment. Of a new table it knows
//! nothing: every index that begins with the tenant looks as good as the right one, and a plan by the wrong index reads
//! all rows of the tenant. Autovacuum counts within a minute, which is too late for a load that begins with the store.
//! So tables are analyzed as they grow, and after that every connection plans anew.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::sqlx::{self, AssertSqlSafe, PgPool};

use crate::StoreError;

/// So many rows written by this process, and the tables are analyzed again. After the last, autovacuum is fast enough.
const MARKS: [u64; 5] = [100, 1_000, 10_000, 50_000, 250_000];

/// The tables that may have outgrown what is known of them. A large one is known well enough, and would take long.
const SMALL: &str = "\
SELECT string_agg(quote_ident(relname), ', ') FROM pg_class \
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND reltuples < 1000000";

/// How many rows this process has written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growth(Arc<AtomicU64>);

impl Growth {
    /// Counts rows that were committed; analyzes the tables, in the background, at certain numbers of them.
    pub(crate) fn note(&self, rows: u64, connections: &PgPool) {
        let before = self.0.fetch_add(rows, Ordering::Relaxed);
        if passes_a_mark(before, before + rows) {
            let connections = connections.clone();
            tokio::spawn(async move {
                if let Err(err) = analyze(&connections).await {
                    tracing::warn!(
                        error = &err as &dyn std::error::Error,
                        "the tables could not be analyzed"
                    );
                }
            });
        }
    }
}

fn passes_a_mark(before: u64, after: u64) -> bool {
    MARKS.iter().any(|mark| (before..after).contains(&(mark - 1)))
}

async fn analyze(connections: &PgPool) -> Result<(), StoreError> {
    let mut conn = connections.acquire().await?;
    let tables: Option<String> = sqlx::query_scalar(SMALL).fetch_one(&mut *conn).await?;
    if let Some(tables) = tables {
        // Another replica that is at it does the work for both.
        sqlx::query(AssertSqlSafe(format!("ANALYZE (SKIP_LOCKED) {tables}"))).execute(&mut *conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_passed_once() {
        let mut passed = 0;
        let mut rows = 0;
        for group in (1..2_000).map(|n| n % 313) {
            passed += usize::from(passes_a_mark(rows, rows + group));
            rows += group;
        }
        assert!(rows > 250_000);
        assert_eq!(passed, MARKS.len());
        assert!(passes_a_mark(0, 100) && !passes_a_mark(0, 99) && !passes_a_mark(100, 100));
    }
}
