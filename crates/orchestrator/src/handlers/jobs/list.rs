//! The list of jobs.

use models::{
    ids::TenantId,
    jobs::{Job, JobFilter},
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `jobs.list`: the tenant's jobs, newest first.
#[tracing::instrument(name = "jobs.list", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list(
    spine: &Spine,
    ctx: &CallContext,
    filter: JobFilter,
    page: PageRequest,
) -> Result<Page<Job>, Error> {
    list_of(spine, ctx.tenant.id, filter, page).await
}

/// The same for who has the store itself.
pub async fn list_of(
    spine: &Spine,
    tenant: TenantId,
    filter: JobFilter,
    page: PageRequest,
) -> Result<Page<Job>, Error> {
    Ok(spine.read().await?.jobs().list(tenant, filter, &page).await?)
}
