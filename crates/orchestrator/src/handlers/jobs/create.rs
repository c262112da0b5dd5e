//! Somebody wants a job done.

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    jobs::{Job, JobKind, NewJob, TOLD_NOTHING},
    time,
};

use super::bound::one_more;
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

/// No job is ordered for later than in so long: each has a place among the tenant's until it is over.
const AHEAD: TimeDelta = TimeDelta::days(366);

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
    let now = spine.now();
    if order.run_at.is_some_and(|at| at > now + AHEAD) {
        return Err(Error::invalid("/run_at", format!("at most {} days ahead", AHEAD.num_days())));
    }
    one_more(&tx, ctx.tenant.id).await?;
    let new = NewJob {
        tenant: ctx.tenant.id,
        kind: order.kind,
        payload: TOLD_NOTHING.to_owned(),
        standing: None,
        // What is wanted for yesterday does not come before what others want now.
        due_at: order.run_at.map_or(now, |at| at.max(now)),
    };
    let job = enqueue(spine, &tx, new, &ctx.actor_id).await?;
    tx.commit(job).await
}
