//! One limit.

use models::ids::LimitId;

use super::LimitView;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.get_limit`: one limit.
#[tracing::instrument(name = "policies.get_limit", skip_all, fields(tenant = %ctx.tenant.id, limit = %id))]
pub async fn get_limit(spine: &Spine, ctx: &CallContext, id: LimitId) -> Result<LimitView, Error> {
    let store = spine.read().await?;
    let limit = store.policies().find_limit(ctx.tenant.id, id).await?;
    let limit = limit.ok_or_else(|| Error::not_found("limit", id))?;
    let mut views = LimitView::of(store.policies(), &ctx.tenant, vec![limit], spine.now()).await?;
    views.pop().ok_or_else(|| Error::not_found("limit", id))
}
