//! The list of the calls to models.

use models::{
    logs::{LlmRunFilter, LlmRunRecord},
    page::{Page, PageRequest},
};

use super::metadata::{Logged, calls};
use crate::{context::CallContext, errors::Error, handlers::shared::page_of, spine::Spine};

/// `logs.list_llm_runs`: the calls to models, of all runs or of one, newest first.
#[tracing::instrument(name = "logs.list_llm_runs", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_llm_runs(
    spine: &Spine,
    ctx: &CallContext,
    filter: LlmRunFilter,
    page: PageRequest,
) -> Result<Page<Logged<LlmRunRecord>>, Error> {
    let store = spine.read().await?;
    let tenant = ctx.tenant.id;
    let found = if filter.run_id.is_some() {
        let of_run = store.logs().find_llm_runs(tenant, &filter).await?;
        page_of(of_run, &page, |call| (call.created_at, call.id.0))?
    } else {
        store.logs().list_llm_runs(tenant, &filter, &page).await?
    };
    let Page { items, next_cursor, has_more, total } = found;
    Ok(Page { items: calls(&store, tenant, items).await?, next_cursor, has_more, total })
}
