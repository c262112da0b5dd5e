//! Changing a rule.

use engines::policies::{self as engine, ModifyError, Version};
use models::{ids::RuleId, policies::RuleChange};

use super::{RuleView, author::author, create_rule::name_taken, rule_view::changed as view};
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

/// `policies.modify_rule`: a new version of a rule, on the version that the caller read. A change that changes
/// nothing makes none.
#[tracing::instrument(name = "policies.modify_rule", skip_all, fields(tenant = %ctx.tenant.id, rule = %id))]
pub async fn modify_rule(
    spine: &Spine,
    ctx: &CallContext,
    id: RuleId,
    version: u64,
    change: RuleChange,
) -> Result<RuleView, Error> {
    let once = Once::of(spine, ctx, "policies.modify_rule", &(id, version, &change))?;
    let kept = |text: Option<String>| text.map(|text| kept(&text));
    let change = RuleChange { name: kept(change.name), description: kept(change.description), ..change };
    retrying(spine, || attempt(spine, ctx, &once, (id, version, change.clone()))).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    (id, version, change): (RuleId, u64, RuleChange),
) -> Result<RuleView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let rule = tx.policies().lock_rule(tenant, id).await?.ok_or_else(|| Error::not_found("rule", id))?;
    let changed = engine::modify_rule(&rule, version, change, author(ctx, &ledger, now)).map_err(refused)?;
    let Some(changed) = changed else {
        let same = view(&tx, rule, now).await?;
        return tx.commit(same).await;
    };
    tx.account().bump_policy_generation(tenant).await?;
    let Version { of: rule, integrity } = settle(spine, &tx, tenant, changed, now).await?;
    tx.policies().save_rule(&rule, &integrity).await.map_err(|err| name_taken(err, &rule))?;
    let view = view(&tx, rule, now).await?;
    tx.commit(view).await
}

fn refused(err: ModifyError) -> Error {
    match err {
        ModifyError::Invalid(fields) => invalid(fields),
        ModifyError::Stale { current } => Error::PreconditionFailed { current },
        ModifyError::Retired => Error::Conflict { code: ConflictCode::RuleRetired, detail: err.to_string() },
    }
}
