//! The list of system records.

use models::{
    logs::{SystemFilter, SystemRecord},
    page::{Page, PageRequest},
};

use super::metadata::{Logged, event};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.list_system`: what happened to the tenant's keys and settings, newest first; and for who runs the installation
/// or examines it, what happened to the installation.
#[tracing::instrument(name = "logs.list_system", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_system(
    spine: &Spine,
    ctx: &CallContext,
    filter: SystemFilter,
    page: PageRequest,
) -> Result<Page<Logged<SystemRecord>>, Error> {
    let store = spine.read().await?;
    let also = ctx.sees_installation();
    Ok(store.logs().list_system_records(ctx.tenant.id, also, &filter, &page).await?.map(event))
}
