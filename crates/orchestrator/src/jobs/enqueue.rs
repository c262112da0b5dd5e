//! Jobs are put in the queue: one that somebody wants done, and those that every tenant has.

use std::collections::HashSet;

use drivers::Tx;
use engines::jobs::{Moved, create};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobKind, NewJob, TOLD_NOTHING},
};

use crate::{errors::Error, spine::Spine};

/// Puts a job in the queue, in the unit of work of `by`, who wants it done.
pub async fn enqueue(spine: &Spine, tx: &Tx, new: NewJob, by: &str) -> Result<Job, Error> {
    let now = spine.now();
    let Moved { job, event } = create(new, spine.id(now), by, now);
    tx.jobs().insert_jobs(std::slice::from_ref(&job)).await?;
    tx.jobs().insert_job_events(&[event]).await?;
    Ok(job)
}

/// Gives every tenant that has none a job of this kind, which comes round again for ever. Of several servers that do so
/// at once, one does.
pub(super) async fn stand(spine: &Spine, kind: JobKind, by: &str) -> Result<(), Error> {
    let without = spine.read().await?.jobs().tenants_without(kind.as_str()).await?;
    if without.is_empty() {
        return Ok(());
    }
    let now = spine.now();
    let new = |tenant| NewJob {
        tenant,
        kind,
        payload: TOLD_NOTHING.to_owned(),
        standing: Some(kind.as_str().to_owned()),
        due_at: now,
    };
    let (jobs, events): (Vec<_>, Vec<_>) = without
        .into_iter()
        .map(|tenant| create(new(tenant), spine.id(now), by, now))
        .map(|Moved { job, event }| (job, event))
        .unzip();
    let tx = spine.begin().await?;
    tx.jobs().insert_missing_jobs(&jobs).await?;
    let ours: Vec<(TenantId, JobId)> = jobs.iter().map(|job| (job.tenant, job.id)).collect();
    let there: HashSet<JobId> = tx.jobs().that_are_there(&ours).await?.into_iter().collect();
    let events: Vec<_> = events.into_iter().filter(|event| there.contains(&event.job_id)).collect();
    tx.jobs().insert_job_events(&events).await?;
    Ok(tx.commit().await?)
}
