//! LLM run records: one for each call to a model.

use models::{
    ids::{LlmRunId, RunId, TenantId},
    logs::{
        LlmRunRecord,
        entity::{
            llm_run_records::{self as llm_runs, Column},
            uncounted_steps::Column as UncountedColumn,
        },
    },
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _};

use super::{LogsDomainStore, LogsReads, tree};
use crate::{StoreError, bulk, driver::of_tenant, keys, read, rows::rows};

of_tenant!(llm_runs);

rows! {
    LlmRunRecord, llm_runs, key(id), fn to_row(record), fn from_row,
    same {
        id, run_id, trace_id, step_index, provider, model, prompt_hash, response_hash, input_tokens, output_tokens,
        cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nanousd, cost_known, cost_note, price_book, execution_status, started_at, completed_at,
        source, is_synthetic, synthetic_scenario_id, created_at,
    } renamed { tenant => tenant_id } extra {}
}

impl LogsReads<'_> {
    /// One record.
    pub async fn find_llm_run(
        self,
        tenant: TenantId,
        id: LlmRunId,
    ) -> Result<Option<LlmRunRecord>, StoreError> {
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id))).await?.map(from_row).transpose()
    }

    /// The records of a run, by step: each call once, however many steps tell of it.
    pub async fn llm_runs_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<LlmRunRecord>, StoreError> {
        let uncounted = tree::uncounted_of(tenant, run).select_only().column(UncountedColumn::StepIndex);
        let select = of(tenant)
            .filter(Column::RunId.eq(run))
            .filter(Column::StepIndex.not_in_subquery(uncounted.into_query()))
            .order_by_asc(Column::StepIndex);
        read::all(self.conn, select.order_by_asc(Column::Id)).await?.into_iter().map(from_row).collect()
    }
}

impl LogsDomainStore<'_> {
    /// Adds records.
    pub async fn insert_llm_runs(self, records: &[LlmRunRecord]) -> Result<(), StoreError> {
        bulk::insert::<llm_runs::Entity>(self.conn, keys::rows(records, to_row)?).await
    }
}
