//! Texts erased: the one deletion of what a run recorded. The store lets it happen to a run alone whose log says that
//! it did.

use entities::logs::{run_contents as contents, run_salts as salts};
use models::ids::{RunId, TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Func, Query},
};

use crate::{StoreError, logs::TraceStore, tally};

impl TraceStore<'_> {
    /// How many texts are kept of a run, and how many bytes they have.
    pub async fn contents_size(self, tenant: TenantId, run: RunId) -> Result<(u64, u64), StoreError> {
        use contents::Column as C;
        let sum = |column: C| {
            let sum = Func::sum(Expr::col(column));
            Expr::from(Func::coalesce([Expr::from(sum), Expr::val(0_i64)])).cast_as("bigint")
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
        Ok((count, bytes.saturating_sub(4 * count)))
    }

    /// Drops the texts of a run, and their salt. Its ERASED leaf comes first.
    pub async fn erase_contents(self, tenant: TenantId, run: RunId) -> Result<(), StoreError> {
        let texts = contents::Entity::delete_many()
            .filter(contents::Column::TenantId.eq(tenant.0))
            .filter(contents::Column::RunId.eq(run.0));
        self.conn.execute(texts.build(self.conn.backend())).await?;
        let salt = salts::Entity::delete_many()
            .filter(salts::Column::TenantId.eq(tenant.0))
            .filter(salts::Column::RunId.eq(run.0));
        self.conn.execute(salt.build(self.conn.backend())).await?;
        Ok(())
    }
}
