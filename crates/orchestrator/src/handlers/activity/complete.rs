//! Ending a run, by its agent.

use models::{activity::Run, ids::RunId};

use super::submit::{ended, one};
use crate::{
    choke::{call::EndRun, prepare::Call},
    context::CallContext,
    errors::Error,
    once::Once,
    spine::Spine,
};

/// `activity.complete`: ends a run as SUCCEEDED or FAILED, and seals it. Again with the same status: the same answer.
#[tracing::instrument(name = "activity.complete", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn complete(spine: &Spine, ctx: &CallContext, run: RunId, how: EndRun) -> Result<Run, Error> {
    let once = Once::of(spine, ctx, "activity.complete", &(run, &how))?;
    ended(one(spine, ctx, Call::end(ctx, once, run, how)?).await)
}
