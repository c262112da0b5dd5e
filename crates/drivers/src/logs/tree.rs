//! The steps of a run as a tree, and those of them that do not count.

use std::{
    collections::HashMap,
    ops::{Range, RangeInclusive},
};

use entities::logs::uncounted_steps::{self as uncounted, Column};
use models::{
    ids::{RunId, TenantId},
    logs::{StepRow, TreeStep, Uncounted},
    time,
};
use proof::words::StepStatus;
use sea_orm::{
    ColumnTrait as _, FromQueryResult as _, QueryFilter as _, QueryOrder as _, QueryTrait as _,
    sea_query::SelectStatement,
};

use super::{
    TraceReads, TraceStore, llm_runs,
    segments::{self, RANGES_AT_ONCE, union_of},
};
use crate::{StoreError, bulk, counters, driver::of_tenant, keys, read, rows::rows};

of_tenant!(uncounted);

rows! {
    Uncounted, uncounted, key(run_id, step_index), fn to_row(record), fn from_row,
    same { run_id, step_index, told_by_index, in_doubt, created_at, } renamed { tenant => tenant_id } extra {}
}

impl TraceReads<'_> {
    /// What the tree asks of the steps of runs, of each those of these indices, in their order; and what was said of
    /// them since.
    pub async fn tree_steps(
        self,
        tenant: TenantId,
        of_runs: &[(RunId, Range<u64>)],
    ) -> Result<Vec<TreeStep>, StoreError> {
        let told = self.told_of(tenant, of_runs).await?;
        let wanted: HashMap<RunId, &Range<u64>> =
            of_runs.iter().map(|(run, indices)| (*run, indices)).collect();
        let mut found = Vec::new();
        for opened in segments::in_steps(self.conn, tenant, of_runs).await? {
            let (run, records) = opened?;
            let is_wanted = |step: &StepRow| {
                wanted.get(&run).is_some_and(|indices| indices.contains(&step.record.step_index))
            };
            for step in records.steps.into_iter().filter(is_wanted) {
                let told_by = told.get(&(run, step.record.step_index)).copied();
                found.push(tree_step(run, step, told_by)?);
            }
        }
        Ok(found)
    }

    /// By which step it was told of those of these steps that do not count.
    async fn told_of(
        self,
        tenant: TenantId,
        of_runs: &[(RunId, Range<u64>)],
    ) -> Result<HashMap<(RunId, u64), u64>, StoreError> {
        let mut told = HashMap::new();
        for chunk in of_runs.chunks(RANGES_AT_ONCE) {
            let query = union_of(chunk, |run, indices| {
                let last = indices.end.saturating_sub(1);
                uncounted_in(tenant, run, &(indices.start..=last))
            });
            for row in self.conn.rows(self.conn.statement(&query)).await? {
                let row =
                    uncounted::Model::from_query_result(&row, "").map_err(|err| StoreError::Corrupt {
                        table: "uncounted_steps",
                        row: "?".to_owned(),
                        why: err.to_string(),
                    })?;
                let row = from_row(row)?;
                told.insert((row.run_id, row.step_index), row.told_by_index);
            }
        }
        Ok(told)
    }

    /// Those of a run's steps that do not count, of these indices: a page asks for its own, however long its run is.
    pub async fn uncounted(
        self,
        tenant: TenantId,
        run: RunId,
        indices: RangeInclusive<u64>,
    ) -> Result<Vec<Uncounted>, StoreError> {
        let [first, last] = bounds(&indices);
        let select = of(tenant)
            .filter(Column::RunId.eq(run.0))
            .filter(Column::StepIndex.gte(first))
            .filter(Column::StepIndex.lte(last))
            .order_by_asc(Column::StepIndex);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

fn uncounted_in(tenant: TenantId, run: RunId, indices: &RangeInclusive<u64>) -> SelectStatement {
    let [first, last] = bounds(indices);
    of(tenant)
        .filter(Column::RunId.eq(run.0))
        .filter(Column::StepIndex.gte(first))
        .filter(Column::StepIndex.lte(last))
        .into_query()
}

fn bounds(indices: &RangeInclusive<u64>) -> [i64; 2] {
    [*indices.start(), *indices.end()].map(|at| i64::try_from(at).unwrap_or(i64::MAX))
}

impl TraceStore<'_> {
    /// Says of steps that they do not count. What was said before stays.
    pub async fn insert_uncounted(self, steps: &[Uncounted]) -> Result<(), StoreError> {
        // Before it is said of them: then it is known which of their calls have been counted.
        for (tenant, earlier) in self.conn.counters().uncount(steps) {
            let counting = llm_runs::counting(tenant);
            counters::calls::take_back(self.conn, tenant, counting, &earlier).await?;
        }
        bulk::add_missing::<uncounted::Entity>(self.conn, keys::rows(steps, to_row)?).await
    }
}

fn tree_step(run_id: RunId, step: StepRow, told_by_index: Option<u64>) -> Result<TreeStep, StoreError> {
    let record = step.record;
    let corrupt = |column: &str, why: String| StoreError::Corrupt {
        table: "run_segments",
        row: run_id.to_string(),
        why: format!("step {}: {column}: {why}", record.step_index),
    };
    let recorded_at =
        time::parse(&record.recorded_at).map_err(|err| corrupt("recorded_at", err.to_string()))?;
    let reported_by = record
        .reported_by
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|err: models::ids::IdError| corrupt("reported_by", err.to_string()))?;
    Ok(TreeStep {
        run_id,
        step_index: record.step_index,
        kind: record.kind,
        skill_name: record.skill_name,
        provider: record.provider,
        model: record.model,
        model_requested: record.model_requested,
        input_tokens: record.input_tokens,
        output_tokens: record.output_tokens,
        cost_nanousd: record.cost_nanousd,
        cost_known: record.cost_known,
        cost_note: record.cost_note,
        failed: record.reported_status == Some(StepStatus::Failure),
        recorded_at,
        external_span_id: record.external_span_id,
        external_parent_span_id: record.external_parent_span_id,
        reported_by,
        told_by_index,
    })
}
