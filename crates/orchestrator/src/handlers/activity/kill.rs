//! Ending a run, by a person.

use models::ids::RunId;

use super::submit::{one, unexpected};
use crate::{
    choke::{Done, call::Killed, prepare::Call},
    context::CallContext,
    errors::Error,
    once::Once,
    spine::Spine,
};

/// `activity.kill`: a person ends a run, at once. What its agent knows of it is for its next call to show.
#[tracing::instrument(name = "activity.kill", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn kill(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reason: Option<String>,
) -> Result<Killed, Error> {
    let once = Once::of(spine, ctx, "activity.kill", &(run, &reason))?;
    match one(spine, ctx, Call::kill(ctx, once, run, reason)?).await? {
        Done::Killed(killed) => {
            // Its agent is to hear of it now.
            spine.streams().stir(ctx.tenant.id);
            Ok(*killed)
        }
        other => Err(unexpected(&other)),
    }
}
