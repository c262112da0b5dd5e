//! The list of incidents.

use models::{
    incidents::{Incident, IncidentFilter},
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `incidents.list`: the tenant's incidents, newest first.
#[tracing::instrument(name = "incidents.list", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list(
    spine: &Spine,
    ctx: &CallContext,
    filter: IncidentFilter,
    page: PageRequest,
) -> Result<Page<Incident>, Error> {
    Ok(spine.read().await?.incidents().list(ctx.tenant.id, &filter, &page).await?)
}
