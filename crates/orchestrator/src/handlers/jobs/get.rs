//! One job, and what happened to it.

use engines::jobs::get_retry_history;
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobAuditEvent, RetryAttempt},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// How many events of a job's chain its detail tells: the last ones. One that comes round again for ever has ever more.
const TOLD: u64 = 50;

/// A job with what happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDetail {
    /// The job as it stands.
    pub job: Job,
    /// The last events of its chain, oldest first.
    pub events: Vec<JobAuditEvent>,
    /// The attempts that failed, as those events tell them.
    pub attempts: Vec<RetryAttempt>,
}

/// `jobs.get`: one job.
#[tracing::instrument(name = "jobs.get", skip_all, fields(tenant = %ctx.tenant.id, job = %id))]
pub async fn get(spine: &Spine, ctx: &CallContext, id: JobId) -> Result<JobDetail, Error> {
    get_of(spine, ctx.tenant.id, id).await
}

/// The same for who has the store itself.
pub async fn get_of(spine: &Spine, tenant: TenantId, id: JobId) -> Result<JobDetail, Error> {
    let store = spine.read().await?;
    let found = store.jobs().find_job(tenant, id).await?;
    let job = found.ok_or_else(|| Error::not_found("job", id))?;
    let events = store.jobs().last_events(tenant, id, TOLD).await?;
    let attempts = get_retry_history(&events);
    Ok(JobDetail { job, events, attempts })
}
