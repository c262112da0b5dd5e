//! Reading system records.

use models::{
    ids::{SystemRecordId, TenantId},
    logs::{SystemFilter, SystemRecord},
    page::{Page, PageRequest},
};

use super::metadata::{Logged, event};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.list_system`: what happened to the tenant's keys and settings, newest first; and for who runs the installation or
/// examines it, what happened to the installation.
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

/// `logs.get_system`: one system record.
#[tracing::instrument(name = "logs.get_system", skip_all, fields(tenant = %ctx.tenant.id, record = %id))]
pub async fn get_system(
    spine: &Spine,
    ctx: &CallContext,
    id: SystemRecordId,
) -> Result<Logged<SystemRecord>, Error> {
    let store = spine.read().await?;
    let mut record = store.logs().find_system_record(ctx.tenant.id, id).await?;
    if record.is_none() && ctx.sees_installation() {
        record = store.logs().find_system_record(TenantId::INSTALLATION, id).await?;
    }
    record.map(event).ok_or_else(|| Error::not_found("system record", id))
}
