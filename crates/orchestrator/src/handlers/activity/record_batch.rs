//! Recording many steps of a run at once.

use models::ids::RunId;

use super::submit::recorded;
use crate::{
    aside::aside,
    choke::{
        MAX_GROUP,
        call::{Recorded, StepReport},
        prepare::Call,
    },
    context::CallContext,
    errors::Error,
    spine::Spine,
};

/// What came of a batch: an answer for each step that was attempted, in order.
#[derive(Debug)]
pub struct Batch {
    /// The answers; all but the last are grants.
    pub answers: Vec<Result<Recorded, Error>>,
    /// Positions in the batch, from 0, of the steps after the first refusal.
    pub not_attempted: Vec<usize>,
}

/// `activity.record_batch`: up to 500 steps in order, in one group; none after the first that is refused.
#[tracing::instrument(name = "activity.record_batch", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn record_batch(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reports: Vec<StepReport>,
) -> Result<Batch, Error> {
    if reports.is_empty() || reports.len() > MAX_GROUP {
        return Err(Error::invalid("/steps", format!("must be 1 to {MAX_GROUP} steps")));
    }
    let count = reports.len();
    let mut calls = Vec::with_capacity(count);
    let mut unfit = None;
    let bytes = reports.iter().map(StepReport::weight).sum();
    aside(bytes, || {
        for report in reports {
            match Call::record(ctx, run, report) {
                Ok(call) => calls.push(call),
                Err(err) => {
                    unfit = Some(err);
                    break;
                }
            }
        }
    });
    let mut answers = Vec::with_capacity(count);
    if !calls.is_empty() {
        let done = spine.choke().submit(spine, &ctx.tenant, calls).await?;
        answers.extend(done.into_iter().flatten().map(recorded));
    }
    if answers.iter().all(Result::is_ok)
        && let Some(err) = unfit
    {
        answers.push(Err(err));
    }
    let not_attempted = (answers.len()..count).collect();
    Ok(Batch { answers, not_attempted })
}
