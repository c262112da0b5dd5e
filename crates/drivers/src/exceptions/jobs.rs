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
    ColumnTrait as _, EntityTrait as _, IdenStatic as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query, SelectStatement},
};

use crate::{
    StoreError,
    jobs::{Jobs, JobsReads, from_row},
    keys, read,
};

/// Tenants that are named as without a standing job at most; the next look names the rest.
pub const STANDING_AT_ONCE: u64 = 500;

/// What is due of a kind, and may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct DueJobs<'a> {
    /// Jobs of this kind,
    pub kind: JobKind,
    /// that were due at this time,
    pub by: DateTime<Utc>,
    /// but for these, of which a row did not read back,
    pub but_jobs: &'a [JobId],
    /// and for those of these tenants, whose turn it is not.
    pub but_tenants: &'a [TenantId],
}

/// A job that was found due.
#[derive(Debug)]
pub enum ClaimedJob {
    /// It is locked until the unit of work ends.
    Job(Box<Job>),
    /// Its row does not read back.
    Unreadable(JobId, StoreError),
}

impl DueJobs<'_> {
    fn select(self) -> Select<Entity> {
        let mut due =
            Entity::find().filter(Column::Kind.eq(self.kind.as_str())).filter(Column::DueAt.lte(self.by));
        if !self.but_jobs.is_empty() {
            due = due.filter(Column::Id.is_not_in(self.but_jobs.iter().map(|id| id.0)));
        }
        if !self.but_tenants.is_empty() {
            due = due.filter(Column::TenantId.is_not_in(self.but_tenants.iter().map(|id| id.0)));
        }
        due
    }
}

impl JobsReads<'_> {
    /// Whether there is such a job: who would claim it need not begin to write to learn that there is none.
    pub async fn is_due(self, due: DueJobs<'_>) -> Result<bool, StoreError> {
        let one = due.select().select_only().column(Column::Id).limit(1);
        Ok(!self.conn.rows(one.build(self.conn.backend())).await?.is_empty())
    }

    /// The tenant that has a job of this id; none where nobody has.
    pub async fn tenant_of(self, job: JobId) -> Result<Option<TenantId>, StoreError> {
        let of = Query::select()
            .column((tenants::Entity, tenants::Column::TenantId))
            .from(tenants::Entity)
            .to_owned();
        // By the tenants, each of which has its jobs by their ids: no index has the ids of all.
        let found = Entity::find().filter(Column::TenantId.in_subquery(of)).filter(Column::Id.eq(job.0));
        Ok(read::one(self.conn, found).await?.map(|row| row.tenant_id.0))
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
    /// The job that has been due longest of these, whosever it is. One that another unit of work has locked is passed
    /// over: so those who claim wait for nobody, and each gets another.
    pub async fn claim_due(self, due: DueJobs<'_>) -> Result<Option<ClaimedJob>, StoreError> {
        let next = due
            .select()
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Id)
            .limit(1)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let rows = self.conn.rows(next.build(self.conn.backend())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let err = match read::model::<Entity>(row).and_then(from_row) {
            Ok(job) => return Ok(Some(ClaimedJob::Job(Box::new(job)))),
            Err(err) => err,
        };
        // One that cannot even be named stops those behind it.
        match row.try_get::<Id<JobId>>("", Column::Id.as_str()) {
            Ok(Id(id)) => Ok(Some(ClaimedJob::Unreadable(id, err))),
            Err(_) => Err(err),
        }
    }

    /// Which of these jobs are there.
    pub async fn that_are_there(self, of: &[(TenantId, JobId)]) -> Result<Vec<JobId>, StoreError> {
        let key = [Column::TenantId, Column::Id];
        let of = keys::in_order(of).into_iter().map(|(tenant, id)| [tenant.0.into(), id.0.into()]).collect();
        let rows = read::by_keys(self.conn, Entity::find(), key, of).await?;
        Ok(rows.into_iter().map(|row| row.id.0).collect())
    }
}
