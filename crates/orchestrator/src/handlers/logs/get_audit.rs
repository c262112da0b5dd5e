//! One entry of the Audit Ledger.

use models::{ids::AuditId, logs::AuditEntry};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.get_audit`: one entry with the states before and after.
#[tracing::instrument(name = "logs.get_audit", skip_all, fields(tenant = %ctx.tenant.id, entry = %id))]
pub async fn get_audit(spine: &Spine, ctx: &CallContext, id: AuditId) -> Result<AuditEntry, Error> {
    let entry = spine.read().await?.logs().find_audit(ctx.tenant.id, id).await?;
    entry.ok_or_else(|| Error::not_found("audit entry", id))
}
