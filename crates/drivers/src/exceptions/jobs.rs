//! Jobs whose tenant is not known yet: the claim of one that is due, and who is without one that every tenant has.

use chrono::{DateTime, Utc};
use entities::{
    Id,
    account::tenants,
    jobs::jobs::{Column, Entity},
};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobKind},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Select,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query, SelectStatement},
};

use crate::{
    StoreError,
    jobs::{Jobs, JobsReads, from_row},
    keys, read,
};

/// Tenants that are named as without a standing job at most; the next look names the rest.
pub const STANDING_AT_ONCE: u64 = 500;

fn due(kinds: &[JobKind], now: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::DueAt.lte(now))
        .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
}

impl JobsReads<'_> {
    /// Whether a job of one of these kinds is due at `now`: who would claim it need not begin to write to learn that
    /// there is none.
    pub async fn is_due(self, kinds: &[JobKind], now: DateTime<Utc>) -> Result<bool, StoreError> {
        let one = due(kinds, now).select_only().column(Column::Id).limit(1);
        Ok(!self.conn.rows(one.build(self.conn.backend())).await?.is_empty())
    }

    /// Tenants that have no job that stands under this name.
    pub async fn tenants_without(self, standing: &str) -> Result<Vec<TenantId>, StoreError> {
        let job = |column: Column| Expr::col((Entity, column));
        let there = Query::select()
            .expr(Expr::val(1_i64))
            .from(Entity)
            .and_where(job(Column::TenantId).equals((tenants::Entity, tenants::Column::TenantId)))
            .and_where(job(Column::Standing).eq(standing))
            .to_owned();
        let mut query = SelectStatement::new();
        query
            .column((tenants::Entity, tenants::Column::TenantId))
            .from(tenants::Entity)
            .and_where(Expr::exists(there).not())
            .limit(STANDING_AT_ONCE);
        let rows = self.conn.rows(self.conn.statement(&query)).await?;
        rows.iter().map(|row| Ok(row.try_get_by::<Id<TenantId>, _>(0)?.0)).collect()
    }
}

impl Jobs<'_> {
    /// The job of one of these kinds that has been due longest at `now`, whosever it is, locked until the unit of work
    /// ends; but for the first few, of which a row may not read back. One that another unit of work has locked is
    /// passed over: so those who claim wait for nobody, and each gets another.
    pub async fn claim_due(
        self,
        kinds: &[JobKind],
        now: DateTime<Utc>,
        but_first: u64,
    ) -> Result<Option<Job>, StoreError> {
        let due = due(kinds, now)
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Id)
            .offset(but_first)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        read::one(self.conn, due).await?.map(from_row).transpose()
    }

    /// Which of these jobs are there.
    pub async fn that_are_there(self, of: &[(TenantId, JobId)]) -> Result<Vec<JobId>, StoreError> {
        let key = [Column::TenantId, Column::Id];
        let of = keys::in_order(of).into_iter().map(|(tenant, id)| [tenant.0.into(), id.0.into()]).collect();
        let rows = read::by_keys(self.conn, Entity::find(), key, of).await?;
        Ok(rows.into_iter().map(|row| row.id.0).collect())
    }
}
