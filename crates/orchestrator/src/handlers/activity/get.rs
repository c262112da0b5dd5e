//! One run.

use drivers::ReadTx;
use models::{activity::Run, ids::RunId};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `activity.get`: one run.
#[tracing::instrument(name = "activity.get", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn get(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<Run, Error> {
    find(&spine.read().await?, ctx, id).await
}

/// The same, where somebody reads already.
pub(super) async fn find(store: &ReadTx, ctx: &CallContext, id: RunId) -> Result<Run, Error> {
    let run = store.activity().find_run(ctx.tenant.id, id).await?;
    run.filter(|run| !ctx.sees_only_own_runs() || run.key_id == ctx.key)
        .ok_or_else(|| Error::not_found("run", id))
}
