//! What other domains do to a run: its violation, its drafts, its risk. Set-based, on sealed runs too.

use entities::activity::runs::{self, Column};
use models::{
    activity::{RiskLevel, Run},
    ids::{RunId, TenantId},
};
use sea_orm::{
    ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, UpdateMany,
    sea_query::{Expr, ExprTrait as _},
};

use super::{of, rows::from_row};
use crate::{StoreError, conn::Conn, counters, driver::driver, keys, read, version};

driver! {
    /// Writes `policy_violation` and `policy_draft_count`.
    read RunMetricsDriver;
}

driver! {
    /// Writes `risk_level`.
    read RunSignalDriver;
}

impl RunMetricsDriver<'_> {
    /// Marks runs as having violated a policy. Never undone.
    pub async fn mark_violated(self, tenant: TenantId, runs: &[RunId]) -> Result<(), StoreError> {
        let set = update(self.conn, tenant).col_expr(Column::PolicyViolation, Expr::value(true));
        moving(self.conn, tenant, set.filter(Column::PolicyViolation.eq(false)), runs).await
    }

    /// Counts one draft proposal more for each of the runs.
    pub async fn add_draft(self, tenant: TenantId, runs: &[RunId]) -> Result<(), StoreError> {
        let more = Expr::col(Column::PolicyDraftCount).add(1_i64);
        write(self.conn, update(self.conn, tenant).col_expr(Column::PolicyDraftCount, more), runs).await
    }
}

impl RunSignalDriver<'_> {
    /// Raises the risk of runs to what is given, where it is lower; never lowers one.
    pub async fn raise_risk(self, tenant: TenantId, risks: &[(RunId, RiskLevel)]) -> Result<(), StoreError> {
        for level in RiskLevel::ALL {
            let runs: Vec<RunId> = risks.iter().filter(|(_, to)| to == level).map(|(run, _)| *run).collect();
            let lower = RiskLevel::ALL.iter().filter(|other| *other < level).map(|word| word.as_str());
            let lower: Vec<_> = lower.collect();
            // Below the lowest there is nothing to raise.
            if lower.is_empty() {
                continue;
            }
            let set = update(self.conn, tenant)
                .col_expr(Column::RiskLevel, Expr::value(level.as_str()))
                .filter(Column::RiskLevel.is_in(lower));
            moving(self.conn, tenant, set, &runs).await?;
        }
        Ok(())
    }
}

fn update(conn: &Conn, tenant: TenantId) -> UpdateMany<runs::Entity> {
    version::update(conn.backend()).filter(Column::TenantId.eq(tenant.0))
}

/// The same of what lists filter by: what counters say of the runs moves with them.
async fn moving(
    conn: &Conn,
    tenant: TenantId,
    update: UpdateMany<runs::Entity>,
    runs: &[RunId],
) -> Result<(), StoreError> {
    let before = locked(conn, tenant, runs).await?;
    write(conn, update, runs).await?;
    let after = locked(conn, tenant, runs).await?;
    for (before, after) in before.iter().zip(&after) {
        counters::runs::moved(conn, after, &before.standing(), &after.standing());
    }
    Ok(())
}

async fn locked(conn: &Conn, tenant: TenantId, runs: &[RunId]) -> Result<Vec<Run>, StoreError> {
    let select = of(tenant).order_by_asc(Column::Id).lock_exclusive();
    let rows = read::by_keys(conn, select, [Column::Id], keys::sorted(runs)).await?;
    rows.into_iter().map(from_row).collect()
}

async fn write(conn: &Conn, update: UpdateMany<runs::Entity>, runs: &[RunId]) -> Result<(), StoreError> {
    read::update_by_keys(conn, update, [Column::Id], keys::sorted(runs)).await.map(drop)
}
