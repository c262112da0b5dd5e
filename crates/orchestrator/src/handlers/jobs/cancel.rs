//! Cancelling a job.

use engines::jobs::{self as engine, CancelError};
use models::{ids::JobId, jobs::Job};

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
    retrying(spine, || attempt(spine, ctx, &once, id, reason.as_deref())).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    id: JobId,
    reason: Option<&str>,
) -> Result<Job, Error> {
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let found = tx.jobs().lock_job(ctx.tenant.id, id).await?;
    let job = found.ok_or_else(|| Error::not_found("job", id))?;
    let policy = policy_of(spine, job.kind);
    let moved =
        engine::cancel(job, &ctx.actor_id, reason, &policy, spine.now()).map_err(|err| refused(&err))?;
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
