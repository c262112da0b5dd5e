//! Jobs, and the chain of what happened to each.

use entities::jobs::{
    job_audit_events::{self as events, Column as E},
    jobs::{self, Column},
};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobAuditEvent, JobFilter, JobState},
    page::{Page, PageRequest},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
};

use crate::{
    StoreError, bulk,
    driver::{driver, of_tenant},
    field::put,
    keys,
    read::{self, Newest},
    rows::rows,
};

driver! {
    /// Reads of jobs.
    read JobsReads;
    /// Reads and writes of jobs.
    write Jobs;
}

of_tenant!(jobs);

fn events_of(tenant: TenantId) -> Select<events::Entity> {
    events::Entity::find().filter(E::TenantId.eq(tenant.0))
}

rows! {
    Job, jobs, key(id), fn to_row(job), fn from_row,
    same {
        id, kind, state, payload, standing, attempts, lease, lease_owner, due_at, stage, percentage, eta_at, started_at,
        finished_at, error, events, head, created_by, created_at, updated_at,
    } renamed { tenant => tenant_id } extra {}
}

rows! {
    JobAuditEvent, events, key(job_id, seq), fn event_row(event), fn event,
    same { job_id, seq, event_type, state, actor, attempt, details, previous, hash }
    renamed { tenant => tenant_id, at => created_at } extra {}
}

/// How a job stands.
const CHANGING: &[Column] = &[
    Column::State,
    Column::Attempts,
    Column::Lease,
    Column::LeaseOwner,
    Column::DueAt,
    Column::Stage,
    Column::Percentage,
    Column::EtaAt,
    Column::StartedAt,
    Column::FinishedAt,
    Column::Error,
    Column::Events,
    Column::Head,
    Column::UpdatedAt,
];

impl JobsReads<'_> {
    /// One job.
    pub async fn find_job(self, tenant: TenantId, id: JobId) -> Result<Option<Job>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Those of these jobs that are there. One that does not read back hides no other.
    pub async fn find_jobs(
        self,
        tenant: TenantId,
        ids: &[JobId],
    ) -> Result<Vec<Result<Job, StoreError>>, StoreError> {
        let rows = read::by_keys(self.conn, of(tenant), [Column::Id], keys::sorted(ids)).await?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Jobs, newest first.
    pub async fn list(
        self,
        tenant: TenantId,
        filter: JobFilter,
        page: &PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        let key = |row: &jobs::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        read::page(self.conn, matching(tenant, filter), newest, page, from_row).await
    }

    /// How many jobs of the tenant that people ordered are not over; nobody counts further than `most`.
    pub async fn unfinished(self, tenant: TenantId, most: u64) -> Result<u64, StoreError> {
        let words = JobState::ALL.iter().filter(|state| !state.is_over()).map(|state| state.as_str());
        let unfinished = of(tenant).filter(Column::State.is_in(words)).filter(Column::Standing.is_null());
        let ids = unfinished.select_only().column(Column::Id).limit(most);
        Ok(self.conn.rows(ids.build(self.conn.backend())).await?.len() as u64)
    }

    /// The next jobs by id, so many at most: for whoever goes over all of them.
    pub async fn jobs_after(
        self,
        tenant: TenantId,
        after: Option<JobId>,
        most: u64,
    ) -> Result<Vec<Job>, StoreError> {
        let further = Condition::all().add_option(after.map(|id| Column::Id.gt(id.0)));
        let select = of(tenant).filter(further).order_by_asc(Column::Id).limit(most);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// The last events of a job's chain, so many at most, oldest first.
    pub async fn last_events(
        self,
        tenant: TenantId,
        job: JobId,
        most: u64,
    ) -> Result<Vec<JobAuditEvent>, StoreError> {
        let newest = events_of(tenant).filter(E::JobId.eq(job.0)).order_by_desc(E::Seq).limit(most);
        read::all(self.conn, newest).await?.into_iter().rev().map(event).collect()
    }

    /// The events of a job's chain from this place on, so many at most, oldest first.
    pub async fn events_from(
        self,
        tenant: TenantId,
        job: JobId,
        from: u64,
        most: u64,
    ) -> Result<Vec<JobAuditEvent>, StoreError> {
        let from: i64 = put(&events::Entity, "seq", &from)?;
        let next = events_of(tenant).filter(E::JobId.eq(job.0)).filter(E::Seq.gte(from));
        let rows = read::all(self.conn, next.order_by_asc(E::Seq).limit(most)).await?;
        rows.into_iter().map(event).collect()
    }

    /// The whole chains of these jobs: by job, oldest event first.
    pub async fn chains(self, tenant: TenantId, jobs: &[JobId]) -> Result<Vec<JobAuditEvent>, StoreError> {
        let select = events_of(tenant).order_by_asc(E::JobId).order_by_asc(E::Seq);
        let rows = read::by_keys(self.conn, select, [E::JobId], keys::sorted(jobs)).await?;
        rows.into_iter().map(event).collect()
    }
}

impl Jobs<'_> {
    /// One job, locked until the unit of work ends.
    pub async fn lock_job(self, tenant: TenantId, id: JobId) -> Result<Option<Job>, StoreError> {
        let select = of(tenant).filter(Column::Id.eq(id.0)).lock_exclusive();
        read::one(self.conn, select).await?.map(from_row).transpose()
    }

    /// The same of one that is taken under this lease; none where that was lost: another has taken it since, somebody
    /// cancelled it, or it is over. Whoever works at a job writes by this alone.
    pub async fn lock_held(self, tenant: TenantId, id: JobId, lease: u64) -> Result<Option<Job>, StoreError> {
        let lease: i64 = put(&jobs::Entity, "lease", &lease)?;
        let held = of(tenant)
            .filter(Column::Id.eq(id.0))
            .filter(Column::Lease.eq(lease))
            .filter(Column::State.eq(JobState::Running.as_str()));
        read::one(self.conn, held.lock_exclusive()).await?.map(from_row).transpose()
    }

    /// Adds jobs.
    pub async fn insert_jobs(self, jobs: &[Job]) -> Result<(), StoreError> {
        bulk::insert::<jobs::Entity>(self.conn, keys::rows(jobs, to_row)?).await
    }

    /// Adds those of these that stand under a name which no other of their tenant has.
    pub async fn insert_missing_jobs(self, jobs: &[Job]) -> Result<(), StoreError> {
        let mut jobs: Vec<&Job> = jobs.iter().collect();
        // Two that add the same wait for each other.
        jobs.sort_by_key(|job| (job.tenant, job.standing.clone()));
        bulk::insert_missing::<jobs::Entity>(self.conn, keys::rows(jobs, to_row)?).await.map(drop)
    }

    /// Writes back how a job stands that this unit of work has locked.
    pub async fn save_job(self, job: &Job) -> Result<(), StoreError> {
        bulk::update::<jobs::Entity>(self.conn, vec![to_row(job)?], CHANGING).await
    }

    /// Adds events to chains.
    pub async fn insert_job_events(self, events: &[JobAuditEvent]) -> Result<(), StoreError> {
        bulk::insert::<events::Entity>(self.conn, keys::rows(events, event_row)?).await
    }
}

fn matching(tenant: TenantId, filter: JobFilter) -> Select<jobs::Entity> {
    let JobFilter { state, kind } = filter;
    let condition = Condition::all()
        .add_option(state.map(|word| Column::State.eq(word.as_str())))
        .add_option(kind.map(|word| Column::Kind.eq(word.as_str())));
    of(tenant).filter(condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_a_job_may_change_is_said_of_each_column() {
        let fixed = [
            Column::TenantId,
            Column::Id,
            Column::Kind,
            Column::Payload,
            Column::Standing,
            Column::CreatedBy,
            Column::CreatedAt,
        ];
        bulk::has_each_column_once::<jobs::Entity>(&[CHANGING, &fixed]);
    }
}
