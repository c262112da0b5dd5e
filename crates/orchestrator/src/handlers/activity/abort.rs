//! Giving a run up.

use models::{activity::Run, ids::RunId};

use super::submit::{ended, one};
use crate::{
    choke::{call::EndRun, prepare::Call},
    context::CallContext,
    errors::Error,
    once::Once,
    spine::Spine,
};

/// `activity.abort`: gives a run up, and seals it.
#[tracing::instrument(name = "activity.abort", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn abort(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reason: Option<String>,
) -> Result<Run, Error> {
    let once = Once::of(spine, ctx, "activity.abort", &(run, &reason))?;
    ended(one(spine, ctx, Call::end(ctx, once, run, EndRun::Abort { reason })?).await)
}
