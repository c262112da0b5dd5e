//! One system record.

use models::{
    ids::{SystemRecordId, TenantId},
    logs::SystemRecord,
};

use super::metadata::{Logged, event};
use crate::{context::CallContext, errors::Error, spine::Spine};

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
