//! How often a limit was passed.

use models::{
    ids::LimitId,
    page::{Page, PageRequest},
};
use proof::records::BreachRecord;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.limit_breaches`: how often and by how much a limit was passed, newest first.
#[tracing::instrument(name = "policies.limit_breaches", skip_all, fields(tenant = %ctx.tenant.id, limit = %id))]
pub async fn limit_breaches(
    spine: &Spine,
    ctx: &CallContext,
    id: LimitId,
    page: PageRequest,
) -> Result<Page<BreachRecord>, Error> {
    let store = spine.read().await?;
    let limit = store.policies().find_limit(ctx.tenant.id, id).await?;
    limit.ok_or_else(|| Error::not_found("limit", id))?;
    Ok(store.policies().list_breaches(ctx.tenant.id, id, &page).await?)
}
