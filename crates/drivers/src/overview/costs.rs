//! What model calls cost, and by how much budgets on cost were passed: sums over the records of other domains.

use models::{
    ids::TenantId,
    overview::{Overage, Period, Spent},
};
use sea_orm::{DbBackend, QueryResult, Value};

use super::Overview;
use crate::{StoreError, tally};

/// No sum is told as more than this (2^62): what is beyond would leave the numbers of a store.
const MOST: u64 = 1 << 62;

/// A whole number that a sum is, on both stores, and never an error: SQLite, which adds up whole numbers of 64 bits
/// alone, adds up the two parts of each.
fn sum(backend: DbBackend, of: &str) -> String {
    const LOW: u64 = 1 << 20;
    if backend == DbBackend::Postgres {
        return format!("CAST(LEAST(COALESCE(SUM({of}), 0), {MOST}) AS BIGINT)");
    }
    let high = format!("COALESCE(SUM(({of}) / {LOW}), 0)");
    let low = format!("COALESCE(SUM(({of}) % {LOW}), 0)");
    let beyond = MOST / LOW;
    format!(
        "CAST(CASE WHEN {high} >= {beyond} THEN {MOST} ELSE MIN({high} * {LOW} + {low}, {MOST}) END AS BIGINT)"
    )
}

/// What is added up of the calls `l`.
fn sums(backend: DbBackend) -> String {
    let sum = |of| sum(backend, of);
    let used = ["l.cost_nanousd", "l.input_tokens", "l.output_tokens"].map(sum).join(", ");
    format!("{used}, COUNT(*), {}", sum("CASE WHEN l.cost_known THEN 0 ELSE 1 END"))
}

/// The calls of a tenant in a period, each once however many steps tell of it.
const CALLS: &str = "l.tenant_id = $1 AND l.created_at >= $2 AND l.created_at < $3 AND NOT EXISTS (SELECT 1 FROM \
                     uncounted_steps u WHERE u.tenant_id = l.tenant_id AND u.run_id = l.run_id AND u.step_index = \
                     l.step_index)";

const TABLE: &str = "llm_run_records";

impl Overview<'_> {
    /// What all model calls used.
    pub async fn spent(self, tenant: TenantId, period: Period) -> Result<Spent, StoreError> {
        let sums = sums(self.conn.backend());
        let sql = format!("SELECT {sums} FROM llm_run_records l WHERE {CALLS}");
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        rows.first().map_or(Ok(Spent::default()), |row| spent(row, 0))
    }

    /// By day, as `2026-01-31`, in UTC; a day without a call is not there.
    pub async fn spent_by_day(
        self,
        tenant: TenantId,
        period: Period,
    ) -> Result<Vec<(String, Spent)>, StoreError> {
        let day = match self.conn.backend() {
            DbBackend::Postgres => "to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
            _ => "substr(l.created_at, 1, 10)",
        };
        let sums = sums(self.conn.backend());
        let sql = format!("SELECT {day}, {sums} FROM llm_run_records l WHERE {CALLS} GROUP BY 1 ORDER BY 1");
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        rows.iter().map(|row| Ok((tally::value(TABLE, row, 0)?, spent(row, 1)?))).collect()
    }

    /// By provider and model, the dearest first; at most `most`.
    pub async fn spent_by_model(
        self,
        tenant: TenantId,
        period: Period,
        most: u64,
    ) -> Result<Vec<(Option<String>, Option<String>, Spent)>, StoreError> {
        let sums = sums(self.conn.backend());
        let sql = format!(
            "SELECT l.provider, l.model, {sums} FROM llm_run_records l WHERE {CALLS} \
             GROUP BY 1, 2 ORDER BY 3 DESC, 6 DESC, 1, 2 LIMIT {most}"
        );
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        rows.iter()
            .map(|row| Ok((tally::value(TABLE, row, 0)?, tally::value(TABLE, row, 1)?, spent(row, 2)?)))
            .collect()
    }

    /// By agent, the dearest first; at most `most`.
    pub async fn spent_by_agent(
        self,
        tenant: TenantId,
        period: Period,
        most: u64,
    ) -> Result<Vec<(String, Spent)>, StoreError> {
        let sums = sums(self.conn.backend());
        let sql = format!(
            "SELECT r.agent_id, {sums} FROM llm_run_records l \
             JOIN runs r ON r.tenant_id = l.tenant_id AND r.id = l.run_id WHERE {CALLS} \
             GROUP BY 1 ORDER BY 2 DESC, 5 DESC, 1 LIMIT {most}"
        );
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        rows.iter().map(|row| Ok((tally::value(TABLE, row, 0)?, spent(row, 1)?))).collect()
    }

    /// How budgets on cost were passed, and what was used beyond them: all that counts in the window, by the maximum
    /// that its last breach met. A window that was forgotten before breached ones were kept has what its breaches say.
    pub async fn overage(self, tenant: TenantId, period: Period) -> Result<Overage, StoreError> {
        let sql = format!(
            "SELECT {}, {} FROM (SELECT COUNT(*) AS n, COALESCE(MAX(u.used), MAX(b.breached_value)) - \
             (SELECT l.threshold_value FROM limit_breaches l WHERE l.tenant_id = $1 AND l.limit_id = b.limit_id \
             AND l.window_start = b.window_start ORDER BY l.breached_at DESC, l.id DESC LIMIT 1) AS past \
             FROM limit_breaches b LEFT JOIN limit_usage u ON u.tenant_id = b.tenant_id AND u.limit_id = b.limit_id \
             AND u.scope_key = '' AND u.window_start = b.window_start \
             WHERE b.tenant_id = $1 AND b.breached_at >= $2 AND b.breached_at < $3 \
             AND b.limit_type = 'COST_USD' GROUP BY b.limit_id, b.window_start) AS windows",
            sum(self.conn.backend(), "n"),
            sum(self.conn.backend(), "CASE WHEN past > 0 THEN past ELSE 0 END")
        );
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        let number = |column| tally::number("limit_breaches", rows.first(), column);
        Ok(Overage { breaches: number(0)?, nanousd: number(1)? })
    }
}

fn bound(tenant: TenantId, period: Period) -> Vec<Value> {
    vec![tenant.0.into(), period.from.into(), period.until.into()]
}

fn spent(row: &QueryResult, at: usize) -> Result<Spent, StoreError> {
    let number = |column| tally::number(TABLE, Some(row), at + column);
    Ok(Spent {
        cost_nanousd: number(0)?,
        input_tokens: number(1)?,
        output_tokens: number(2)?,
        calls: number(3)?,
        unknown: number(4)?,
    })
}
