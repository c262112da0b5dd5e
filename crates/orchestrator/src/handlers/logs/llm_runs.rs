//! Reading LLM run records.

use models::{
    ids::{LlmRunId, RunId},
    logs::LlmRunRecord,
    page::{Page, PageRequest},
};

use super::metadata::{AroundRun, Logged};
use crate::{context::CallContext, errors::Error, handlers::shared::page_of, spine::Spine};

/// `logs.list_llm_runs`: the calls to models that a run made, newest first.
#[tracing::instrument(name = "logs.list_llm_runs", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn list_llm_runs(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    page: PageRequest,
) -> Result<Page<Logged<LlmRunRecord>>, Error> {
    let store = spine.read().await?;
    let found = store.activity().find_run(ctx.tenant.id, run).await?;
    let around = AroundRun::read(&store, found.ok_or_else(|| Error::not_found("run", run))?).await?;
    let records = store.logs().llm_runs_of_run(ctx.tenant.id, run).await?;
    let page = page_of(records, &page, |record| (record.created_at, record.id.0))?;
    Ok(page.map(|record| around.call(record)))
}

/// `logs.get_llm_run`: one call to a model.
#[tracing::instrument(name = "logs.get_llm_run", skip_all, fields(tenant = %ctx.tenant.id, record = %id))]
pub async fn get_llm_run(
    spine: &Spine,
    ctx: &CallContext,
    id: LlmRunId,
) -> Result<Logged<LlmRunRecord>, Error> {
    let store = spine.read().await?;
    let record = store.logs().find_llm_run(ctx.tenant.id, id).await?;
    let record = record.ok_or_else(|| Error::not_found("LLM run record", id))?;
    let run = store.activity().find_run(ctx.tenant.id, record.run_id).await?;
    let run = run.ok_or_else(|| Error::Internal(format!("{id} is of a run that is not there")))?;
    Ok(AroundRun::read(&store, run).await?.call(record))
}
