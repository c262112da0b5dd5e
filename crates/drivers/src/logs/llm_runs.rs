//! LLM run records: one for each call to a model.

use std::{collections::HashMap, ops::RangeInclusive};

use entities::logs::llm_run_records::{self as llm_runs, Column};
use models::{
    ids::{LlmRunId, RunId, TenantId},
    logs::{LlmRunFilter, LlmRunRecord},
    page::{Page, PageRequest},
};
use sea_orm::{
    ColumnTrait as _, DbBackend, QueryFilter as _, QueryOrder as _, Select, Value, sea_query::Expr,
};

use super::{LogsDomainStore, LogsReads};
use crate::{
    StoreError, bulk, counters, dialect,
    driver::of_tenant,
    keys,
    read::{self, Newest},
    rows::rows,
    tally,
};

/// Each call once, however many steps tell of it.
const COUNTED: &str = "NOT EXISTS (SELECT 1 FROM uncounted_steps u WHERE u.tenant_id = llm_run_records.tenant_id \
                       AND u.run_id = llm_run_records.run_id AND u.step_index = llm_run_records.step_index)";

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
        read::one(self.conn, of(tenant).filter(Column::Id.eq(id.0))).await?.map(from_row).transpose()
    }

    /// Records of all runs, newest first: each call once, however many steps tell of it. Those of one run are looked
    /// for by the run: [`Self::find_llm_runs`].
    pub async fn list_llm_runs(
        self,
        tenant: TenantId,
        filter: &LlmRunFilter,
        page: &PageRequest,
    ) -> Result<Page<LlmRunRecord>, StoreError> {
        let key = |row: &llm_runs::Model| (row.created_at, row.id.uuid());
        let newest = Newest { at: Column::CreatedAt, id: Column::Id, key };
        let total = if page.total { Some(self.count_llm_runs(tenant, filter).await?) } else { None };
        let leads = counters::calls::rarest(self.conn, tenant, filter).await?;
        let select = matching(tenant, filter, leads.map(|column| (self.conn.backend(), column)));
        read::page_with(self.conn, select, newest, (page, total), from_row).await
    }

    /// How many records the list with this filter has.
    pub async fn count_llm_runs(self, tenant: TenantId, filter: &LlmRunFilter) -> Result<u64, StoreError> {
        let Some((mut total, ends)) = counters::calls::total(self.conn, tenant, filter).await? else {
            return tally::count(self.conn, matching(tenant, filter, None)).await;
        };
        for end in ends {
            let (created_after, created_before) = (end.after(), end.until);
            let filter = LlmRunFilter { created_after, created_before, ..filter.clone() };
            let at_end = tally::count(self.conn, matching(tenant, &filter, None)).await?;
            total = total.saturating_add(at_end);
        }
        Ok(total)
    }

    /// All records that pass, by step.
    pub async fn find_llm_runs(
        self,
        tenant: TenantId,
        filter: &LlmRunFilter,
    ) -> Result<Vec<LlmRunRecord>, StoreError> {
        let select = matching(tenant, filter, None).order_by_asc(Column::StepIndex).order_by_asc(Column::Id);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }

    /// The records of a run, by step: each call once, however many steps tell of it.
    pub async fn llm_runs_of_run(
        self,
        tenant: TenantId,
        run: RunId,
    ) -> Result<Vec<LlmRunRecord>, StoreError> {
        let of_run = LlmRunFilter { run_id: Some(run), ..LlmRunFilter::default() };
        self.find_llm_runs(tenant, &of_run).await
    }

    /// The records of the calls of these steps of a run: a page asks for its own, however long its run is.
    pub async fn llm_runs_of_steps(
        self,
        tenant: TenantId,
        run: RunId,
        steps: RangeInclusive<u64>,
    ) -> Result<Vec<LlmRunRecord>, StoreError> {
        // What is said to be before the first step is told with it.
        let first = if *steps.start() == 0 { i64::MIN } else { index(*steps.start()) };
        let select = counting(tenant)
            .filter(Column::RunId.eq(run.0))
            .filter(Column::StepIndex.gte(first))
            .filter(Column::StepIndex.lte(index(*steps.end())))
            .order_by_asc(Column::StepIndex)
            .order_by_asc(Column::Id);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

/// A step's index, as the store has it.
fn index(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

impl LogsDomainStore<'_> {
    /// Adds records. `agents` has the agent of each of their runs, by which calls are counted.
    pub async fn insert_llm_runs(
        self,
        records: &[LlmRunRecord],
        agents: &HashMap<RunId, String>,
    ) -> Result<(), StoreError> {
        bulk::insert::<llm_runs::Entity>(self.conn, keys::rows(records, to_row)?).await?;
        counters::calls::add(self.conn, records, agents)
    }
}

/// The calls that count.
pub(super) fn counting(tenant: TenantId) -> Select<llm_runs::Entity> {
    of(tenant).filter(Expr::cust(COUNTED))
}

/// Those of them that pass; found by the index of the column that leads, where one does.
fn matching(
    tenant: TenantId,
    filter: &LlmRunFilter,
    leads: Option<(DbBackend, &str)>,
) -> Select<llm_runs::Entity> {
    let LlmRunFilter {
        run_id,
        provider,
        model,
        execution_status,
        is_synthetic,
        created_after,
        created_before,
    } = filter;
    let asked: [(&'static str, Option<Value>); 4] = [
        ("provider", provider.clone().map(Value::from)),
        ("model", model.clone().map(Value::from)),
        ("execution_status", execution_status.map(|word| word.as_str().into())),
        ("is_synthetic", is_synthetic.map(Value::from)),
    ];
    let asked = asked.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
    let condition = dialect::equal(asked, leads)
        .add_option(run_id.map(|run| Column::RunId.eq(run.0)))
        .add_option(created_after.map(|at| Column::CreatedAt.gt(at)))
        .add_option(created_before.map(|at| Column::CreatedAt.lt(at)));
    counting(tenant).filter(condition)
}
