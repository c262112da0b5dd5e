//! The list of the Audit Ledger.

use models::{
    logs::{AuditEntry, AuditFilter},
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.list_audit`: who decided what, newest first.
#[tracing::instrument(name = "logs.list_audit", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_audit(
    spine: &Spine,
    ctx: &CallContext,
    filter: AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditEntry>, Error> {
    Ok(spine.read().await?.logs().list_audit(ctx.tenant.id, &filter, &page).await?)
}
