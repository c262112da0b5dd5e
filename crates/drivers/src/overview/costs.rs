//! What model calls cost, and by how much budgets on cost were passed: sums over the records of other domains.

use std::{cmp::Reverse, collections::BTreeMap};

use models::{
    ids::TenantId,
    overview::{Overage, Period, Spent},
};
use sea_orm::{DbBackend, Value};

use super::Overview;
use crate::{
    StoreError,
    cells::{self, LOW, Tally},
    counters::{
        CALLS, SUMMED, agents,
        calls::{self, By, Key},
        span::{Piece, Span},
        sum, sums, sums_of_calls, tally_at,
    },
    tally,
};

/// No sum is told as more: what is beyond would leave the numbers of a store.
const MOST: u64 = cells::MOST.unsigned_abs();

const TABLE: &str = "llm_run_records";

impl Overview<'_> {
    /// What all model calls used.
    pub async fn spent(self, tenant: TenantId, period: Period) -> Result<Spent, StoreError> {
        let sums = self.added(tenant, period, By::All).await?;
        Ok(sums.values().next().map_or_else(Spent::default, spent))
    }

    /// By day, as `2026-01-31`, in UTC; a day without a call is not there.
    pub async fn spent_by_day(
        self,
        tenant: TenantId,
        period: Period,
    ) -> Result<Vec<(String, Spent)>, StoreError> {
        let sums = self.added(tenant, period, By::Day).await?;
        Ok(sums.iter().map(|((day, _), sum)| (day.clone().unwrap_or_default(), spent(sum))).collect())
    }

    /// By provider and model, the dearest first; at most `most`.
    pub async fn spent_by_model(
        self,
        tenant: TenantId,
        period: Period,
        most: usize,
    ) -> Result<Vec<(Option<String>, Option<String>, Spent)>, StoreError> {
        let dearest = dearest(self.added(tenant, period, By::Model).await?, most);
        Ok(dearest.into_iter().map(|((provider, model), spent)| (provider, model, spent)).collect())
    }

    /// By agent, the dearest first; at most `most`. There may be as many agents as runs: the store adds up all of them,
    /// and gives those.
    pub async fn spent_by_agent(
        self,
        tenant: TenantId,
        period: Period,
        most: usize,
    ) -> Result<Vec<(String, Spent)>, StoreError> {
        self.conn.store_counters().await?;
        let mut values: Vec<Value> = vec![tenant.0.into()];
        let mut pieces = Vec::new();
        for piece in (Span { from: Some(period.from), until: Some(period.until) }).by_day_and_hour() {
            pieces.extend(agents::used(piece, period, &mut values));
        }
        let backend = self.conn.backend();
        let [high, low, number, unknown] =
            ["cost_high", "cost_low", "number", "unknown"].map(|of| sum(backend, of));
        let sql = format!(
            "SELECT part, {} FROM ({}) AS v GROUP BY part HAVING {number} > 0 OR {unknown} > 0 \
             ORDER BY {high} + {low} / {LOW} DESC, {low} % {LOW} DESC, {number} DESC, part LIMIT {most}",
            sums(backend),
            pieces.join(" UNION ALL ")
        );
        let rows = self.conn.rows(self.statement(&sql, values)).await?;
        rows.iter().map(|row| Ok((tally::value(TABLE, row, 0)?, spent(&tally_at(row, 1)?)))).collect()
    }

    /// What was used in a period: whole days and hours by their counters, and what is left at its ends by the calls.
    async fn added(
        self,
        tenant: TenantId,
        period: Period,
        by: By,
    ) -> Result<BTreeMap<Key, Tally>, StoreError> {
        let mut sums: BTreeMap<Key, Tally> = BTreeMap::new();
        self.conn.store_counters().await?;
        for piece in (Span { from: Some(period.from), until: Some(period.until) }).by_day_and_hour() {
            let found = match piece {
                Piece::Rows(end) => self.sums_of_calls(tenant, period, end, by).await?,
                piece => calls::sums(self.conn, tenant, piece, by).await?,
            };
            for (key, sum) in found {
                *sums.entry(key).or_default() += sum;
            }
        }
        sums.retain(|_, sum| sum.number > 0 || sum.unknown > 0);
        Ok(sums)
    }

    /// The same of calls that no counter has for itself.
    async fn sums_of_calls(
        self,
        tenant: TenantId,
        period: Period,
        end: Span,
        by: By,
    ) -> Result<Vec<(Key, Tally)>, StoreError> {
        let day = match self.conn.backend() {
            DbBackend::Postgres => "to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
            _ => "substr(l.created_at, 1, 10)",
        };
        let (key, group) = match by {
            By::All => ("CAST(NULL AS TEXT), CAST(NULL AS TEXT)".to_owned(), ""),
            By::Day => (format!("{day}, CAST(NULL AS TEXT)"), "GROUP BY 1"),
            By::Model => ("l.provider, l.model".to_owned(), "GROUP BY 1, 2"),
        };
        let sums = sums_of_calls();
        let sql = format!(
            "SELECT {key}, {sums} FROM {CALLS} \
             WHERE l.tenant_id = $1 AND l.created_at >= $2 AND l.created_at < $3 AND {SUMMED} {group}"
        );
        let period =
            Period { from: end.from.unwrap_or(period.from), until: end.until.unwrap_or(period.until) };
        let rows = self.conn.rows(self.statement(&sql, bound(tenant, period))).await?;
        rows.iter()
            .map(|row| Ok(((tally::value(TABLE, row, 0)?, tally::value(TABLE, row, 1)?), tally_at(row, 2)?)))
            .collect()
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

/// The dearest first, and of those that cost the same the one with more calls; at most `most`.
fn dearest(sums: BTreeMap<Key, Tally>, most: usize) -> Vec<(Key, Spent)> {
    let mut all: Vec<(Key, Spent)> = sums.into_iter().map(|(key, sum)| (key, spent(&sum))).collect();
    // Stable: what is equal in both stays in the order of the keys.
    all.sort_by_key(|(_, spent)| Reverse((spent.cost_nanousd, spent.calls)));
    all.truncate(most);
    all
}

fn spent(sum: &Tally) -> Spent {
    let amount = |of: i128| u64::try_from(of.clamp(0, i128::from(MOST))).unwrap_or(MOST);
    Spent {
        cost_nanousd: amount(sum.cost),
        input_tokens: amount(sum.input),
        output_tokens: amount(sum.output),
        calls: amount(sum.number.into()),
        unknown: amount(sum.unknown.into()),
    }
}
