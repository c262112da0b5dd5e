//! Making a limit.

use engines::{
    logs::redact::redact_text,
    policies::{self as engine, Version},
};
use models::policies::LimitDraft;

use super::{LimitView, author};
use crate::{
    context::CallContext,
    errors::Error,
    handlers::shared::{invalid, ledger_of, retrying},
    ledger::settle,
    spine::Spine,
};

/// `policies.create_limit`: a limit, in force for every run that starts after the answer.
#[tracing::instrument(name = "policies.create_limit", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn create_limit(spine: &Spine, ctx: &CallContext, draft: LimitDraft) -> Result<LimitView, Error> {
    let draft = LimitDraft { name: redact_text(&draft.name).value, ..draft };
    retrying(|| attempt(spine, ctx, draft.clone())).await
}

async fn attempt(spine: &Spine, ctx: &CallContext, draft: LimitDraft) -> Result<LimitView, Error> {
    let (tenant, now, ledger) = (ctx.tenant.id, spine.now(), ledger_of(ctx));
    let made =
        engine::create_limit(tenant, spine.id(now), draft, author(ctx, &ledger, now)).map_err(invalid)?;
    let tx = spine.begin().await?;
    tx.account().bump_policy_generation(tenant).await?;
    let Version { of: limit, integrity } = settle(spine, &tx, tenant, made, now).await?;
    tx.policies().insert_limit(&limit, &integrity).await?;
    tx.commit().await?;
    Ok(LimitView::of_new(limit, &integrity))
}
