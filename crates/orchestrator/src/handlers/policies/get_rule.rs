//! One rule.

use models::ids::RuleId;

use super::RuleView;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.get_rule`: one rule.
#[tracing::instrument(name = "policies.get_rule", skip_all, fields(tenant = %ctx.tenant.id, rule = %id))]
pub async fn get_rule(spine: &Spine, ctx: &CallContext, id: RuleId) -> Result<RuleView, Error> {
    let store = spine.read().await?;
    let rule = store.policies().find_rule(ctx.tenant.id, id).await?;
    let rule = rule.ok_or_else(|| Error::not_found("rule", id))?;
    let mut views =
        RuleView::of(store.policies(), store.enforcements(), ctx.tenant.id, vec![rule], spine.now()).await?;
    views.pop().ok_or_else(|| Error::not_found("rule", id))
}
