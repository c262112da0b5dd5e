//! Makes counters say what is there, and deletes what of them says nothing, while others write.
//!
//! Whoever writes what is counted changes rows and counters in one commit. So what counters lack at one moment they
//! lack ever after, whoever writes meanwhile, and it is added as any unit of work adds something: nobody is locked out.

use models::ids::TenantId;
use sea_orm::{DbBackend, Statement, Value};

use super::{
    Counters, CountersReads, NUMBERS,
    check::Lacking,
    name::{Name, bound},
    numbered,
    rounds::{Round, conditions},
    words_of,
};
use crate::{
    StoreError,
    cells::{TABLE, digest},
    tally::{legible_word, value},
};

/// A row that says more than this, or less than as much below 0, counts nothing that there is, and nothing can be added
/// to it exactly: it is counted from nothing on.
const BEYOND: u64 = 1 << 58;

/// So many rows that came to nothing are deleted at once.
const SWEPT: u64 = 500;

/// How long whoever counts a tenant anew rests meanwhile at most: it reads a round by another connection, some ten
/// statements, of which each is given up after seconds. One that was stopped keeps the others waiting no longer.
const RESTS: &str = "5min";

/// The key of a row that adding does not mend, in the order in which counters are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    counted: String,
    place: Name,
    cell: Vec<u8>,
    shard: i64,
}

impl CountersReads<'_> {
    /// Who else counts a tenant anew at this moment, by the number that Postgres gives its connection (`pid` of
    /// `pg_stat_activity`). None where nobody does, and on an embedded store, which has no lock for that.
    pub async fn recounted_by(self, tenant: TenantId) -> Result<Option<i32>, StoreError> {
        if self.conn.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        // A lock of two numbers is named by both, each without a sign.
        let sql = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
                   AND classid = CAST(hashtext($1) AS oid) AND objid = CAST(-1 AS oid) AND pid <> pg_backend_pid() \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let rows = self.rows(sql, vec![tenant.0.to_string().into()]).await?;
        rows.first().map(|row| value("pg_locks", row, 0)).transpose()
    }

    /// Until this unit of work is over, nobody else counts the tenant anew: what is lacking would be added by each.
    /// Nobody else waits for it. False on an embedded store, which has no such lock: there, two at once mend what is
    /// wrong too much, and the next mends that. An error that [is of a lock](StoreError::is_locked) where another still
    /// counts after some seconds.
    pub async fn hold_recounts(self, tenant: TenantId) -> Result<bool, StoreError> {
        let backend = self.conn.backend();
        if backend != DbBackend::Postgres {
            return Ok(false);
        }
        let usual = "SELECT current_setting('lock_timeout')";
        let usual = self.conn.rows(Statement::from_string(backend, usual)).await?;
        let usual: Option<String> = usual.first().map(|row| value("lock_timeout", row, 0)).transpose()?;
        // It rests while another reads a whole day, and holds nothing that others want but who counts anew.
        let settings = "SELECT set_config('idle_in_transaction_session_timeout', $1, true), \
                        set_config('lock_timeout', '5s', true)";
        self.conn.execute(numbered(self.conn, settings, vec![RESTS.into()])).await?;
        let lock = "SELECT pg_advisory_xact_lock(hashtext($1), -1)";
        self.conn.execute(numbered(self.conn, lock, vec![tenant.0.to_string().into()])).await?;
        // What is written behind that waits no longer than any other.
        let again = "SELECT set_config('lock_timeout', $1, true)";
        self.conn.execute(numbered(self.conn, again, vec![usual.into()])).await?;
        Ok(true)
    }

    /// The rows of a round that adding does not mend: whose `cell` is that of another part and kind, whose kind is
    /// none, which are of no day, whose name is no text, or which say more than is possible.
    pub async fn strays(self, tenant: TenantId, round: &Round) -> Result<Vec<Stray>, StoreError> {
        let mut strays = Vec::new();
        for (condition, values) in conditions(tenant, round) {
            strays.extend(self.keys(&condition, values, false).await?);
        }
        if *round == Round::Whole {
            for ((counted, column), names) in self.of_no_days(tenant).await? {
                for name in names {
                    let condition = format!("counted = '{counted}' AND {column} = {}", bound(2));
                    let values = vec![tenant.0.into(), name.value()];
                    strays.extend(self.keys(&condition, values, true).await?);
                }
            }
        }
        strays.sort_unstable();
        Ok(strays)
    }

    /// The keys of all rows with a condition, or of those that say themselves that they are wrong.
    async fn keys(self, condition: &str, values: Vec<Value>, all: bool) -> Result<Vec<Stray>, StoreError> {
        let sql = format!(
            "SELECT counted, place, cell, shard, part, kind, {} FROM {TABLE} WHERE tenant_id = $1 AND {condition}",
            NUMBERS.join(", ")
        );
        let mut found = Vec::new();
        for row in self.rows(&sql, values).await? {
            let key = Stray {
                counted: value(TABLE, &row, 0)?,
                place: Name::at(&row, 1)?.unwrap_or_else(|| Name::from("")),
                cell: value(TABLE, &row, 2)?,
                shard: value(TABLE, &row, 3)?,
            };
            let (part, kind) = (legible_word(TABLE, &row, 4)?, legible_word(TABLE, &row, 5)?);
            let mut is_stray = all
                || key.place.text().is_none()
                || key.cell != digest(&part, &kind)
                || words_of(&kind).is_none();
            for column in 6..6 + NUMBERS.len() {
                is_stray |= value::<i64>(TABLE, &row, column)?.unsigned_abs() > BEYOND;
            }
            if is_stray {
                found.push(key);
            }
        }
        Ok(found)
    }

    /// Whether a round has rows that came to nothing.
    pub async fn has_empty(self, tenant: TenantId, round: &Round) -> Result<bool, StoreError> {
        for (condition, values) in conditions(tenant, round) {
            let sql =
                format!("SELECT 1 FROM {TABLE} WHERE tenant_id = $1 AND {condition} AND {} LIMIT 1", empty());
            if !self.rows(&sql, values).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Counters<'_> {
    /// Deletes rows that adding does not mend. What they counted is lacking then.
    pub async fn delete(self, tenant: TenantId, strays: &[Stray]) -> Result<(), StoreError> {
        let sql = format!(
            "DELETE FROM {TABLE} WHERE tenant_id = $1 AND counted = $2 AND place = {} AND cell = $4 AND shard = $5",
            bound(3)
        );
        for stray in strays {
            let Stray { counted, place, cell, shard } = stray.clone();
            let key = vec![tenant.0.into(), counted.into(), place.value(), cell.into(), shard.into()];
            self.conn.execute(numbered(self.conn, &sql, key)).await?;
        }
        Ok(())
    }

    /// Adds what counters lack.
    pub fn mend(self, lacking: Lacking) {
        for (cell, tally) in lacking.0 {
            self.conn.counters().add([cell], tally);
        }
    }

    /// Deletes some rows of a round that came to nothing; gives whether there may be more. Who adds to one at that
    /// moment makes it anew, or it is not deleted.
    pub async fn sweep(self, tenant: TenantId, round: &Round) -> Result<bool, StoreError> {
        let (key, empty) = ("counted, place, cell, shard", empty());
        let mut is_more = false;
        for (condition, values) in conditions(tenant, round) {
            // That it is empty is asked of each row once more when it is locked.
            let sql = format!(
                "DELETE FROM {TABLE} WHERE tenant_id = $1 AND {empty} AND ({key}) IN \
                 (SELECT {key} FROM {TABLE} WHERE tenant_id = $1 AND {condition} AND {empty} LIMIT {SWEPT})"
            );
            is_more |= self.conn.execute(numbered(self.conn, &sql, values)).await? >= SWEPT;
        }
        Ok(is_more)
    }
}

/// That a row says nothing.
fn empty() -> String {
    NUMBERS.map(|number| format!("{number} = 0")).join(" AND ")
}

#[cfg(test)]
mod tests {
    use testkit::{Store, TestDatabase};
    use uuid::Uuid;

    use super::*;
    use crate::{ConnectConfig, Db};

    #[tokio::test]
    async fn who_is_stopped_while_it_counts_anew_lets_go_after_minutes() {
        let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
        let config = ConnectConfig { test: true, ..ConnectConfig::new(database.url()) };
        let db = Db::connect(&config).await.expect("the test's store");
        let tx = db.begin().await.expect("begin");
        let is_held = tx.counters().hold_recounts(TenantId(Uuid::nil())).await;
        assert!(is_held.expect("nobody else does it"));
        let sql = "SELECT CAST(setting AS BIGINT) FROM pg_settings \
                   WHERE name = 'idle_in_transaction_session_timeout'";
        let rows =
            tx.conn.rows(Statement::from_string(DbBackend::Postgres, sql)).await.expect("the settings");
        let milliseconds: i64 = value("pg_settings", &rows[0], 0).expect("a number");
        assert!((60_000..=600_000).contains(&milliseconds), "{milliseconds}");
        tx.rollback().await.expect("undone");
    }
}
