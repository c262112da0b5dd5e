//! Reading system records.

use models::{
    ids::SystemRecordId,
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

/// `logs.get_system`: one system record.
#[tracing::instrument(name = "logs.get_system", skip_all, fields(tenant = %ctx.tenant.id, record = %id))]
pub async fn get_system(
    spine: &Spine,
    ctx: &CallContext,
    id: SystemRecordId,
) -> Result<Logged<SystemRecord>, Error> {
    let record = spine.read().await?.logs().find_system_record(ctx.tenant.id, id).await?;
    record.map(event).ok_or_else(|| Error::not_found("system record", id))
}
