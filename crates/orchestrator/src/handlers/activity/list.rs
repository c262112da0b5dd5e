//! The list of runs.

use models::{
    activity::{Run, RunFilter},
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `activity.list`: the tenant's runs, newest first; an agent's own.
#[tracing::instrument(name = "activity.list", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list(
    spine: &Spine,
    ctx: &CallContext,
    mut filter: RunFilter,
    page: PageRequest,
) -> Result<Page<Run>, Error> {
    if ctx.sees_only_own_runs() {
        filter.key_id = Some(ctx.key);
    }
    Ok(spine.read().await?.activity().list_runs(ctx.tenant.id, &filter, &page).await?)
}
