//! The steps of a run as a tree, and those of them that do not count.

use std::ops::{Range, RangeInclusive};

use chrono::{DateTime, Utc};
use entities::{
    Id,
    logs::{
        aos_trace_steps::{self as steps, Column},
        uncounted_steps::{self as uncounted, Column as UncountedColumn},
    },
};
use models::{
    ids::{KeyId, RunId, TenantId},
    logs::{TreeStep, Uncounted},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IdenStatic, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, QueryTrait as _, Select, TryGetable,
    sea_query::{Expr, ExprTrait as _, SelectStatement, UnionType},
};

use super::{TraceReads, TraceStore};
use crate::{StoreError, bulk, driver::of_tenant, field::corrupt, keys, read, rows::rows};

of_tenant!(steps);

/// So many runs are asked for at once: terms of one UNION, of which SQLite takes 500.
const RUNS_AT_ONCE: usize = 100;

rows! {
    Uncounted, uncounted, key(run_id, step_index), fn to_row(record), fn from_row,
    same { run_id, step_index, told_by_index, created_at, } renamed { tenant => tenant_id } extra {}
}

impl TraceReads<'_> {
    /// What the tree asks of the steps of runs, of each those of these indices, in their order; and what was said of them since.
    pub async fn tree_steps(
        self,
        tenant: TenantId,
        of_runs: &[(RunId, Range<u64>)],
    ) -> Result<Vec<TreeStep>, StoreError> {
        let mut found = Vec::new();
        for chunk in of_runs.chunks(RUNS_AT_ONCE) {
            // A term a run: asked for several runs in one condition, SQLite goes over all steps of the tenant.
            let mut terms = chunk.iter().map(|(run, indices)| tree_steps_of(tenant, *run, indices));
            let Some(mut query) = terms.next() else { continue };
            query.unions(terms.map(|term| (UnionType::All, term)));
            let rows = self.conn.rows(self.conn.statement(&query)).await?;
            found.extend(rows.iter().map(tree_step).collect::<Result<Vec<_>, _>>()?);
        }
        found.sort_unstable_by_key(|step: &TreeStep| (step.run_id, step.step_index));
        Ok(found)
    }

    /// Those of a run's steps that do not count, of these indices: a page asks for its own, however long its run is.
    pub async fn uncounted(
        self,
        tenant: TenantId,
        run: RunId,
        indices: RangeInclusive<u64>,
    ) -> Result<Vec<Uncounted>, StoreError> {
        let [first, last] =
            [*indices.start(), *indices.end()].map(|at| i64::try_from(at).unwrap_or(i64::MAX));
        let select = uncounted_of(tenant, run)
            .filter(UncountedColumn::StepIndex.gte(first))
            .filter(UncountedColumn::StepIndex.lte(last))
            .order_by_asc(UncountedColumn::StepIndex);
        read::all(self.conn, select).await?.into_iter().map(from_row).collect()
    }
}

/// What the tree asks of a run's steps of these indices.
fn tree_steps_of(tenant: TenantId, run: RunId, indices: &Range<u64>) -> SelectStatement {
    let [first, end] = [indices.start, indices.end].map(|at| i64::try_from(at).unwrap_or(i64::MAX));
    let same =
        |said: UncountedColumn, of: Column| Expr::col((uncounted::Entity, said)).equals((steps::Entity, of));
    let is_of_it = same(UncountedColumn::TenantId, Column::TenantId)
        .and(same(UncountedColumn::RunId, Column::RunId))
        .and(same(UncountedColumn::StepIndex, Column::StepIndex));
    let mut query = of(tenant)
        .select_only()
        .columns([
            Column::RunId,
            Column::StepIndex,
            Column::Kind,
            Column::SkillName,
            Column::Provider,
            Column::Model,
            Column::ModelRequested,
            Column::InputTokens,
            Column::OutputTokens,
            Column::CostNanousd,
            Column::CostKnown,
            Column::CostNote,
            Column::RecordedAt,
            Column::ExternalSpanId,
            Column::ExternalParentSpanId,
            Column::ReportedBy,
        ])
        .filter(Column::RunId.eq(run.0))
        .filter(Column::StepIndex.gte(first))
        .filter(Column::StepIndex.lt(end))
        .into_query();
    query.column((uncounted::Entity, UncountedColumn::ToldByIndex)).left_join(uncounted::Entity, is_of_it);
    query
}

/// Those of a run's steps that do not count.
fn uncounted_of(tenant: TenantId, run: RunId) -> Select<uncounted::Entity> {
    uncounted_rows_of(tenant).filter(UncountedColumn::RunId.eq(run.0))
}

fn uncounted_rows_of(tenant: TenantId) -> Select<uncounted::Entity> {
    uncounted::Entity::find().filter(UncountedColumn::TenantId.eq(tenant.0))
}

impl TraceStore<'_> {
    /// Says of steps that they do not count. What was said before stays.
    pub async fn insert_uncounted(self, steps: &[Uncounted]) -> Result<(), StoreError> {
        bulk::insert_missing::<uncounted::Entity>(self.conn, keys::rows(steps, to_row)?).await.map(drop)
    }
}

fn tree_step(row: &QueryResult) -> Result<TreeStep, StoreError> {
    let Id(run_id): Id<RunId> = value(row, Column::RunId, "")?;
    let key = format!("{run_id}/{}", value::<i64>(row, Column::StepIndex, "")?);
    let unsigned = |number: i64| {
        u64::try_from(number).map_err(|err| corrupt(&steps::Entity, key.clone(), "a count", &err.to_string()))
    };
    let count = |column: Column| unsigned(value(row, column, &key)?);
    let kind: String = value(row, Column::Kind, &key)?;
    let note: Option<String> = value(row, Column::CostNote, &key)?;
    let recorded_at: DateTime<Utc> = value(row, Column::RecordedAt, &key)?;
    Ok(TreeStep {
        run_id,
        step_index: count(Column::StepIndex)?,
        kind: kind.parse().map_err(|_| corrupt(&steps::Entity, key.clone(), "kind", "is no kind of step"))?,
        skill_name: value(row, Column::SkillName, &key)?,
        provider: value(row, Column::Provider, &key)?,
        model: value(row, Column::Model, &key)?,
        model_requested: value(row, Column::ModelRequested, &key)?,
        input_tokens: count(Column::InputTokens)?,
        output_tokens: count(Column::OutputTokens)?,
        cost_nanousd: count(Column::CostNanousd)?,
        cost_known: value(row, Column::CostKnown, &key)?,
        cost_note: note
            .map(|note| note.parse())
            .transpose()
            .map_err(|_| corrupt(&steps::Entity, key.clone(), "cost_note", "is no note on a cost"))?,
        recorded_at,
        external_span_id: value(row, Column::ExternalSpanId, &key)?,
        external_parent_span_id: value(row, Column::ExternalParentSpanId, &key)?,
        reported_by: value::<Option<Id<KeyId>>>(row, Column::ReportedBy, &key)?.map(|by| by.0),
        told_by_index: value::<Option<i64>>(row, UncountedColumn::ToldByIndex, &key)?
            .map(unsigned)
            .transpose()?,
    })
}

fn value<T: TryGetable>(row: &QueryResult, column: impl IdenStatic, key: &str) -> Result<T, StoreError> {
    row.try_get("", column.as_str())
        .map_err(|err| corrupt(&steps::Entity, key.to_owned(), column.as_str(), &err.to_string()))
}
