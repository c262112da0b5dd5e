//! The list of limits.

use models::{
    page::{Page, PageRequest},
    policies::LimitFilter,
};

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
