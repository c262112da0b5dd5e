//! Changing a limit.

use engines::policies::{self as engine, UpdateError, Version};
use models::{ids::LimitId, policies::LimitChange};

use super::{
    LimitView,
    author::author,
    create_limit::{name_is_free, name_taken},
    limit_view::changed as view,
};
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

/// `policies.update_limit`: a new version of a limit, on the version that the caller read. What was used stays
/// used. A change that changes nothing makes no version.
#[tracing::instrument(name = "policies.update_limit", skip_all, fields(tenant = %ctx.tenant.id, limit = %id))]
pub async fn update_limit(
    spine: &Spine,
    ctx: &CallContext,
    id: LimitId,
    version: u64,
    change: LimitChange,
) -> Result<LimitView, Error> {
    let once = Once::of(spine, ctx, "policies.update_limit", &(id, version, &change))?;
    let change = LimitChange { name: change.name.map(|name| kept(&name)), ..change };
    retrying(spine, || attempt(spine, ctx, &once, (id, version, change.clone()))).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    (id, version, change): (LimitId, u64, LimitChange),
) -> Result<LimitView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let limit = tx.policies().lock_limit(tenant, id).await?.ok_or_else(|| Error::not_found("limit", id))?;
    let named = limit.definition.name.clone();
    let changed =
        engine::update_limit(&limit, version, change, author(ctx, &ledger, now)).map_err(refused)?;
    let Some(changed) = changed else {
        let same = view(&tx, &ctx.tenant, limit, now).await?;
        return tx.commit(same).await;
    };
    tx.account().bump_policy_generation(tenant).await?;
    let Version { of: limit, integrity } = settle(spine, &tx, tenant, changed, now).await?;
    if limit.definition.name != named {
        name_is_free(&tx, &limit).await?;
    }
    tx.policies().save_limit(&limit, &integrity).await.map_err(|err| name_taken(err, &limit))?;
    let view = view(&tx, &ctx.tenant, limit, now).await?;
    tx.commit(view).await
}

fn refused(err: UpdateError) -> Error {
    match err {
        UpdateError::Invalid(fields) => invalid(fields),
        UpdateError::Stale { current } => Error::PreconditionFailed { current },
        UpdateError::Disabled => {
            Error::Conflict { code: ConflictCode::LimitDisabled, detail: err.to_string() }
        }
    }
}
