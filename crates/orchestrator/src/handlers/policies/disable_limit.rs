//! Taking a limit out of force.

use engines::policies as engine;
use models::ids::LimitId;

use super::{LimitView, author::author, limit_view::changed as view};
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    handlers::shared::ledger_of,
    ledger::settle,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
};

/// `policies.disable_limit`: a limit binds no run that starts after the answer.
#[tracing::instrument(name = "policies.disable_limit", skip_all, fields(tenant = %ctx.tenant.id, limit = %id))]
pub async fn disable_limit(spine: &Spine, ctx: &CallContext, id: LimitId) -> Result<LimitView, Error> {
    let once = Once::of(spine, ctx, "policies.disable_limit", &id)?;
    retrying(spine, || attempt(spine, ctx, &once, id)).await
}

async fn attempt(spine: &Spine, ctx: &CallContext, once: &Once, id: LimitId) -> Result<LimitView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let limit = tx.policies().lock_limit(tenant, id).await?.ok_or_else(|| Error::not_found("limit", id))?;
    let refused = |err: engine::DisableError| Error::Conflict {
        code: ConflictCode::LimitDisabled,
        detail: err.to_string(),
    };
    let disabled = engine::disable_limit(&limit, author(ctx, &ledger, now)).map_err(refused)?;
    tx.account().bump_policy_generation(tenant).await?;
    let limit = settle(spine, &tx, tenant, disabled, now).await?;
    tx.policies().save_limit_status(&limit).await?;
    let view = view(&tx, &ctx.tenant, limit, now).await?;
    tx.commit(view).await
}
