//! One call to a model.

use models::{ids::LlmRunId, logs::LlmRunRecord};

use super::metadata::{Logged, calls};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.get_llm_run`: one call to a model.
#[tracing::instrument(name = "logs.get_llm_run", skip_all, fields(tenant = %ctx.tenant.id, record = %id))]
pub async fn get_llm_run(
    spine: &Spine,
    ctx: &CallContext,
    id: LlmRunId,
) -> Result<Logged<LlmRunRecord>, Error> {
    let store = spine.read().await?;
    let missing = || Error::not_found("LLM run record", id);
    let record = store.logs().find_llm_run(ctx.tenant.id, id).await?.ok_or_else(missing)?;
    calls(&store, ctx.tenant.id, vec![record]).await?.pop().ok_or_else(missing)
}
