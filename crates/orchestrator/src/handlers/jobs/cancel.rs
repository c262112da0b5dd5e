//! Cancelling a job.

use engines::jobs::{self as engine, CancelError};
use models::{
    ids::{JobId, TenantId},
    jobs::Job,
};

use super::whose::named;
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    jobs::{policy_of, store},
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::reason_of,
};

/// `jobs.cancel`: the job is not done any more. A server that is at it has lost its lease by this, and writes nothing
/// more.
#[tracing::instrument(name = "jobs.cancel", skip_all, fields(tenant = %ctx.tenant.id, job = %id))]
pub async fn cancel(
    spine: &Spine,
    ctx: &CallContext,
    id: JobId,
    reason: Option<String>,
) -> Result<Job, Error> {
    let once = Once::of(spine, ctx, "jobs.cancel", &(id, &reason))?;
    let reason = reason_of(reason)?;
    let by = (ctx.tenant.id, ctx.actor_id.as_str());
    retrying(spine, || attempt(spine, by, &once, id, reason.as_deref())).await
}

/// The same by a person who has the store itself.
#[tracing::instrument(name = "jobs.cancel", skip_all, fields(%tenant, job = %id))]
pub async fn cancel_as(
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
    let policy = policy_of(spine, job.kind);
    let moved = engine::cancel(job, by, reason, &policy, spine.now()).map_err(|err| refused(&err))?;
    let job = store(&tx, moved).await?;
    tx.commit(job).await
}

fn refused(err: &CancelError) -> Error {
    let code = match err {
        CancelError::Over(_) => ConflictCode::JobOver,
        CancelError::Standing(_) => ConflictCode::JobStanding,
    };
    Error::Conflict { code, detail: err.to_string() }
}
