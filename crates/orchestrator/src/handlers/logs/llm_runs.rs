//! Reading LLM run records.

use models::{
    ids::{LlmRunId, RunId},
    logs::LlmRunRecord,
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, handlers::shared::page_of, spine::Spine};

/// `logs.list_llm_runs`: the calls to models that a run made, newest first.
#[tracing::instrument(name = "logs.list_llm_runs", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn list_llm_runs(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    page: PageRequest,
) -> Result<Page<LlmRunRecord>, Error> {
    let store = spine.read().await?;
    let found = store.activity().find_run(ctx.tenant.id, run).await?;
    found.ok_or_else(|| Error::not_found("run", run))?;
    let records = store.logs().llm_runs_of_run(ctx.tenant.id, run).await?;
    page_of(records, &page, |record| (record.created_at, record.id.0))
}

/// `logs.get_llm_run`: one call to a model.
#[tracing::instrument(name = "logs.get_llm_run", skip_all, fields(tenant = %ctx.tenant.id, record = %id))]
pub async fn get_llm_run(spine: &Spine, ctx: &CallContext, id: LlmRunId) -> Result<LlmRunRecord, Error> {
    let record = spine.read().await?.logs().find_llm_run(ctx.tenant.id, id).await?;
    record.ok_or_else(|| Error::not_found("LLM run record", id))
}
