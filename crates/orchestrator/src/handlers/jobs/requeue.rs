//! Having a job done after all.

use engines::jobs::{self as engine, RequeueError};
use models::{
    ids::{JobId, TenantId},
    jobs::Job,
};

use super::{bound::one_more, whose::named};
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    jobs::store,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::reason_of,
};

/// `jobs.requeue`: puts a job back in the queue that failed, was cancelled, or lies in the dead letter.
#[tracing::instrument(name = "jobs.requeue", skip_all, fields(tenant = %ctx.tenant.id, job = %id))]
pub async fn requeue(
    spine: &Spine,
    ctx: &CallContext,
    id: JobId,
    reason: Option<String>,
) -> Result<Job, Error> {
    let once = Once::of(spine, ctx, "jobs.requeue", &(id, &reason))?;
    let reason = reason_of(reason)?;
    let by = (ctx.tenant.id, ctx.actor_id.as_str());
    retrying(spine, || attempt(spine, by, &once, id, reason.as_deref())).await
}

/// The same by a person who has the store itself.
#[tracing::instrument(name = "jobs.requeue", skip_all, fields(%tenant, job = %id))]
pub async fn requeue_as(
    spine: &Spine,
    tenant: TenantId,
    id: JobId,
    by: &str,
    reason: Option<String>,
) -> Result<Job, Error> {
    named(by)?;
    let (once, reason) = (Once::always(), reason_of(reason)?);
    retrying(spine, || attempt(spine, (tenant, by), &once, id, reason.as_deref())).await
}

async fn attempt(
    spine: &Spine,
    (tenant, by): (TenantId, &str),
    once: &Once,
    id: JobId,
    reason: Option<&str>,
) -> Result<Job, Error> {
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let found = tx.jobs().lock_job(tenant, id).await?;
    let job = found.ok_or_else(|| Error::not_found("job", id))?;
    let moved = engine::requeue(job, by, reason, spine.now()).map_err(|err| refused(&err))?;
    one_more(&tx, tenant).await?;
    let job = store(&tx, moved).await?;
    tx.commit(job).await
}

fn refused(err: &RequeueError) -> Error {
    let code = match err {
        RequeueError::InQueue(_) => ConflictCode::JobInQueue,
        RequeueError::Done => ConflictCode::JobOver,
    };
    Error::Conflict { code, detail: err.to_string() }
}
