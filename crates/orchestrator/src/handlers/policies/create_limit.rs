//! Making a limit.

use drivers::{StoreError, Tx};
use engines::policies::{self as engine, Version};
use models::{
    ids::LimitId,
    policies::{Limit, LimitDraft},
};

use super::{LimitView, author::author};
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

/// `policies.create_limit`: a limit, in force for every run that starts after the answer.
#[tracing::instrument(name = "policies.create_limit", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn create_limit(spine: &Spine, ctx: &CallContext, draft: LimitDraft) -> Result<LimitView, Error> {
    let once = Once::of(spine, ctx, "policies.create_limit", &draft)?;
    let draft = LimitDraft { name: kept(&draft.name), ..draft };
    retrying(spine, || attempt(spine, ctx, &once, draft.clone())).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    draft: LimitDraft,
) -> Result<LimitView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let made =
        engine::create_limit(tenant, spine.id(now), draft, author(ctx, &ledger, now)).map_err(invalid)?;
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    tx.account().bump_policy_generation(tenant).await?;
    let Version { of: limit, integrity } = settle(spine, &tx, tenant, made, now).await?;
    name_is_free(&tx, &limit).await?;
    tx.policies().insert_limit(&limit, &integrity).await.map_err(|err| name_taken(err, &limit))?;
    tx.commit(LimitView::of_new(limit, &integrity)).await
}

/// Refuses a name that another ACTIVE limit has. The store's own index tells of those that come at the same moment.
pub(super) async fn name_is_free(tx: &Tx, limit: &Limit) -> Result<(), Error> {
    let id: LimitId = limit.definition.limit_id.parse().map_err(|_| taken(limit))?;
    if tx.policies().limit_has_name(limit.tenant, &limit.definition.name, id).await? {
        return Err(taken(limit));
    }
    Ok(())
}

/// The one key of a limit that a caller chooses is its name among the ACTIVE ones.
pub(super) fn name_taken(err: StoreError, limit: &Limit) -> Error {
    match err {
        StoreError::Conflict(_) => taken(limit),
        other => other.into(),
    }
}

fn taken(limit: &Limit) -> Error {
    let detail = format!("an active limit is named `{}` already", limit.definition.name);
    Error::Conflict { code: ConflictCode::LimitNameTaken, detail }
}
