//! Reading rules.

use models::{
    ids::RuleId,
    page::{Page, PageRequest},
    policies::RuleFilter,
};
use proof::records::EnforcementRecord;

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

/// `policies.rule_enforcements`: what a rule did, newest first.
#[tracing::instrument(name = "policies.rule_enforcements", skip_all, fields(tenant = %ctx.tenant.id, rule = %id))]
pub async fn rule_enforcements(
    spine: &Spine,
    ctx: &CallContext,
    id: RuleId,
    page: PageRequest,
) -> Result<Page<EnforcementRecord>, Error> {
    let store = spine.read().await?;
    let rule = store.policies().find_rule(ctx.tenant.id, id).await?;
    rule.ok_or_else(|| Error::not_found("rule", id))?;
    Ok(store.enforcements().list_by_policy(ctx.tenant.id, &id.to_string(), &page).await?)
}
