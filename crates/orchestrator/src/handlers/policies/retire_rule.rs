//! Taking a rule out of force, for good.

use engines::policies::{self as engine, RetireError};
use models::ids::RuleId;
use serde::Serialize;

use super::{RuleView, author::author, rule_view::changed as view};
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

/// Why a rule is retired, and what takes its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retirement {
    /// In the words of who retires it. Required.
    pub reason: String,
    /// The rule that takes its place, if one does.
    pub superseded_by: Option<String>,
}

/// `policies.retire_rule`: a rule binds no run that starts after the answer.
#[tracing::instrument(name = "policies.retire_rule", skip_all, fields(tenant = %ctx.tenant.id, rule = %id))]
pub async fn retire_rule(
    spine: &Spine,
    ctx: &CallContext,
    id: RuleId,
    how: Retirement,
) -> Result<RuleView, Error> {
    let once = Once::of(spine, ctx, "policies.retire_rule", &(id, &how))?;
    let reason = kept(&how.reason);
    let unknown = || Error::invalid("/superseded_by", "there is no such rule");
    let successor =
        how.superseded_by.map(|text| text.parse::<RuleId>().map_err(|_| unknown())).transpose()?;
    if let Some(successor) = successor {
        let found = spine.read().await?.policies().find_rule(ctx.tenant.id, successor).await?;
        found.filter(|_| successor != id).ok_or_else(unknown)?;
    }
    let how = engine::Retirement { reason, superseded_by: successor };
    retrying(spine, || attempt(spine, ctx, &once, id, &how)).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    id: RuleId,
    how: &engine::Retirement,
) -> Result<RuleView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let rule = tx.policies().lock_rule(tenant, id).await?.ok_or_else(|| Error::not_found("rule", id))?;
    let retired = engine::retire_rule(&rule, how, author(ctx, &ledger, now)).map_err(refused)?;
    tx.account().bump_policy_generation(tenant).await?;
    let rule = settle(spine, &tx, tenant, retired, now).await?;
    tx.policies().save_rule_status(&rule).await?;
    let view = view(&tx, rule, now).await?;
    tx.commit(view).await
}

fn refused(err: RetireError) -> Error {
    match err {
        RetireError::Invalid(fields) => invalid(fields),
        RetireError::Retired => Error::Conflict { code: ConflictCode::RuleRetired, detail: err.to_string() },
    }
}
