//! Reading limits.

use models::{
    ids::LimitId,
    page::{Page, PageRequest},
    policies::LimitFilter,
};
use proof::records::BreachRecord;

use super::LimitView;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.list_limits`: the tenant's limits, newest first.
#[tracing::instrument(name = "policies.list_limits", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_limits(
    spine: &Spine,
    ctx: &CallContext,
    filter: LimitFilter,
    page: PageRequest,
) -> Result<Page<LimitView>, Error> {
    let store = spine.read().await?;
    let Page { items, next_cursor, has_more, total } =
        store.policies().list_limits(ctx.tenant.id, &filter, &page).await?;
    let items = LimitView::of(store.policies(), &ctx.tenant, items, spine.now()).await?;
    Ok(Page { items, next_cursor, has_more, total })
}

/// `policies.get_limit`: one limit.
#[tracing::instrument(name = "policies.get_limit", skip_all, fields(tenant = %ctx.tenant.id, limit = %id))]
pub async fn get_limit(spine: &Spine, ctx: &CallContext, id: LimitId) -> Result<LimitView, Error> {
    let store = spine.read().await?;
    let limit = store.policies().find_limit(ctx.tenant.id, id).await?;
    let limit = limit.ok_or_else(|| Error::not_found("limit", id))?;
    let mut views = LimitView::of(store.policies(), &ctx.tenant, vec![limit], spine.now()).await?;
    views.pop().ok_or_else(|| Error::not_found("limit", id))
}

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
