//! The list of rules.

use models::{
    page::{Page, PageRequest},
    policies::RuleFilter,
};

use super::RuleView;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.list_rules`: the tenant's rules, newest first.
#[tracing::instrument(name = "policies.list_rules", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_rules(
    spine: &Spine,
    ctx: &CallContext,
    filter: RuleFilter,
    page: PageRequest,
) -> Result<Page<RuleView>, Error> {
    let store = spine.read().await?;
    let Page { items, next_cursor, has_more, total } =
        store.policies().list_rules(ctx.tenant.id, &filter, &page).await?;
    let items =
        RuleView::of(store.policies(), store.enforcements(), ctx.tenant.id, items, spine.now()).await?;
    Ok(Page { items, next_cursor, has_more, total })
}
