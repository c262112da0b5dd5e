//! Making a rule.

use drivers::StoreError;
use engines::policies::{self as engine, Version};
use models::policies::{Rule, RuleDraft};

use super::{RuleView, author::author};
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    handlers::shared::{invalid, ledger_of},
    ledger::settle,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::kept,
};

/// `policies.create_rule`: a rule, in force for every run that starts after the answer.
#[tracing::instrument(name = "policies.create_rule", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn create_rule(spine: &Spine, ctx: &CallContext, draft: RuleDraft) -> Result<RuleView, Error> {
    let once = Once::of(spine, ctx, "policies.create_rule", &draft)?;
    let description = draft.description.map(|text| kept(&text));
    let draft = RuleDraft { name: kept(&draft.name), description, ..draft };
    retrying(spine, || attempt(spine, ctx, &once, draft.clone())).await
}

async fn attempt(spine: &Spine, ctx: &CallContext, once: &Once, draft: RuleDraft) -> Result<RuleView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let made =
        engine::create_rule(tenant, spine.id(now), draft, author(ctx, &ledger, now)).map_err(invalid)?;
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    tx.account().bump_policy_generation(tenant).await?;
    let Version { of: rule, integrity } = settle(spine, &tx, tenant, made, now).await?;
    let stored = tx.policies().insert_rule(&rule, &integrity).await;
    stored.map_err(|err| name_taken(err, &rule))?;
    tx.commit(RuleView::of_new(rule, &integrity)).await
}

/// The one key of a rule that a caller chooses is its name among the ACTIVE ones.
pub(super) fn name_taken(err: StoreError, rule: &Rule) -> Error {
    match err {
        StoreError::Conflict(_) => Error::Conflict {
            code: ConflictCode::RuleNameTaken,
            detail: format!("an active rule is named `{}` already", rule.definition.name),
        },
        other => other.into(),
    }
}
