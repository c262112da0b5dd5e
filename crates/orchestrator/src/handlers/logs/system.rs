//! Reading system records.

use models::{
    logs::{SystemFilter, SystemRecord},
    page::{Page, PageRequest},
};

use super::metadata::{Logged, event};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.list_system`: what happened to the tenant's keys and settings, newest first.
#[tracing::instrument(name = "logs.list_system", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_system(
    spine: &Spine,
    ctx: &CallContext,
    filter: SystemFilter,
    page: PageRequest,
) -> Result<Page<Logged<SystemRecord>>, Error> {
    let page = spine.read().await?.logs().list_system_records(ctx.tenant.id, &filter, &page).await?;
    Ok(page.map(event))
}
