//! Texts erased: the one deletion of what a run recorded. The store lets it happen to a run alone whose log says that
//! it did.

use entities::logs::{run_contents as contents, run_salts as salts};
use models::ids::{RunId, TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IdenStatic as _, QueryFilter as _, QueryTrait as _,
    sea_query::{Expr, Query},
};

use super::read::LONGEST;
use crate::{StoreError, logs::TraceStore, tally};

impl TraceStore<'_> {
    /// How many texts are kept of a run, and how many bytes they have, as far as their bodies can be believed.
    pub async fn contents_size(self, tenant: TenantId, run: RunId) -> Result<(u64, u64), StoreError> {
        use contents::Column as C;
        // Damage is in the way of no erasure: what nobody can believe counts as nothing.
        let sum = |column: C| {
            let name = column.as_str();
            let believed = format!("CASE WHEN {name} BETWEEN 0 AND {LONGEST} THEN {name} ELSE 0 END");
            Expr::cust(format!("CAST(COALESCE(SUM({believed}), 0) AS bigint)"))
        };
        let query = Query::select()
            .expr(sum(C::TextCount))
            .expr(sum(C::RawLength))
            .from(contents::Entity)
            .and_where(C::TenantId.eq(tenant.0))
            .and_where(C::RunId.eq(run.0))
            .to_owned();
        let rows = self.conn.rows(self.conn.statement(&query)).await?;
        let number = |column| tally::number("run_contents", rows.first(), column);
        let (count, bytes) = (number(0)?, number(1)?);
        // Each stands behind its length.
        Ok((count, bytes.saturating_sub(count.saturating_mul(4))))
    }

    /// Drops the texts of a run, and their salt. Its ERASED leaf comes first. Gives how many rows that was.
    pub async fn erase_contents(self, tenant: TenantId, run: RunId) -> Result<u64, StoreError> {
        let texts = contents::Entity::delete_many()
            .filter(contents::Column::TenantId.eq(tenant.0))
            .filter(contents::Column::RunId.eq(run.0));
        let bodies = self.conn.execute(texts.build(self.conn.backend())).await?;
        let salt = salts::Entity::delete_many()
            .filter(salts::Column::TenantId.eq(tenant.0))
            .filter(salts::Column::RunId.eq(run.0));
        Ok(bodies + self.conn.execute(salt.build(self.conn.backend())).await?)
    }
}
