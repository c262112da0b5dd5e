//! A tenant's settings: how it is captured and governed, beyond its rules and limits.

use models::account::Tenant;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `account.settings`: the caller's tenant and how it is governed.
#[tracing::instrument(name = "account.settings", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn settings(spine: &Spine, ctx: &CallContext) -> Result<Tenant, Error> {
    let tenant = spine.read().await?.account().find_tenant(ctx.tenant.id).await?;
    tenant.ok_or_else(|| Error::not_found("tenant", ctx.tenant.id))
}
