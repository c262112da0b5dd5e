//! Somebody wants a job done.

use chrono::{DateTime, Utc};
use models::{
    jobs::{Job, JobKind, NewJob, TOLD_NOTHING},
    time,
};

use crate::{
    context::CallContext,
    errors::Error,
    jobs::enqueue,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
};

/// What somebody wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobOrder {
    /// What it does.
    pub kind: JobKind,
    /// When; at once where not given.
    pub run_at: Option<DateTime<Utc>>,
}

/// `jobs.create`: puts a job in the queue.
#[tracing::instrument(name = "jobs.create", skip_all, fields(tenant = %ctx.tenant.id, kind = %order.kind))]
pub async fn create(spine: &Spine, ctx: &CallContext, order: JobOrder) -> Result<Job, Error> {
    let once = Once::of(spine, ctx, "jobs.create", &(order.kind, order.run_at.map(time::text)))?;
    retrying(spine, || attempt(spine, ctx, &once, order)).await
}

async fn attempt(spine: &Spine, ctx: &CallContext, once: &Once, order: JobOrder) -> Result<Job, Error> {
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let new = NewJob {
        tenant: ctx.tenant.id,
        kind: order.kind,
        payload: TOLD_NOTHING.to_owned(),
        standing: None,
        due_at: order.run_at.unwrap_or_else(|| spine.now()),
    };
    let job = enqueue(spine, &tx, new, &ctx.actor_id).await?;
    tx.commit(job).await
}
