//! The incidents of a run.

use models::{ids::RunId, incidents::RunIncident};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `incidents.by_run`: the incidents that a run opened and those that it joined, in the order in which it did.
#[tracing::instrument(name = "incidents.by_run", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn by_run(spine: &Spine, ctx: &CallContext, run: RunId) -> Result<Vec<RunIncident>, Error> {
    let store = spine.read().await?;
    let found = store.activity().find_run(ctx.tenant.id, run).await?;
    found.ok_or_else(|| Error::not_found("run", run))?;
    Ok(store.incident_runs().by_run(ctx.tenant.id, run).await?)
}
