//! What a rule did.

use models::{
    ids::RuleId,
    page::{Page, PageRequest},
};
use proof::records::EnforcementRecord;

use crate::{context::CallContext, errors::Error, spine::Spine};

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
