//! Steps, refused ones included. Written once, each with the verdict that let it in.

use std::collections::HashMap;

use entities::logs::{
    aos_trace_steps::{self as steps, Column},
    aos_traces,
};
use models::{
    ids::{KeyId, RunId, TenantId},
    logs::StepRow,
    page::{Cursor, Page, PageError, PageRequest},
    verdict::Verdict,
};
use proof::{hash::Hash, records::StepRecord, tagged::Hashed, words::Assurance};
use sea_orm::{
    ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};

use super::{TraceReads, TraceStore, traces};
use crate::{
    StoreError, bulk,
    driver::of_tenant,
    field::{Field as _, corrupt},
    keys, read,
    rows::rows,
    tally,
};

of_tenant!(steps);

rows! {
    StepRecord, steps, key(run_id, step_index), fn to_row(record, of: Assurance, hash: Hash), fn from_row,
    same {
        tenant_id, run_id, trace_id, step_index, parent_step_index, kind, skill_name, params, status,
        asked, reported_status, outcome_category, outcome_code, outcome_data, prompt, response, finish_reason, provider, model,
        model_requested, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nanousd, cost_known, cost_note, duration_ms, retry_count,
        started_at, recorded_at, level, source, reported_by, external_span_id, external_parent_span_id, idempotency_key,
        request_hash, replay_behavior, input_hash, output_hash, permit_id, permit_note, decision_id, pre_decision_hash,
        post_decision_hash, activity_hash, provider_hash, run_after, determinism_hash, prev_hash,
    } renamed {} extra { assurance = of, step_hash = hash }
}

/// A step, and the verdict of the choke point that lets it into the chain. There is no other way in, so a step that
/// nothing judged does not compile:
///
/// ```compile_fail,E0308
/// # async fn f(tx: drivers::Tx, record: proof::records::StepRecord) -> Result<(), drivers::StoreError> {
/// tx.traces().insert_steps(&[record]).await
/// # }
/// ```
///
/// ```compile_fail,E0063
/// # use drivers::logs::DecidedStep;
/// # use proof::{records::StepRecord, tagged::Hashed};
/// # fn f<'a>(record: &'a Hashed<StepRecord>) -> DecidedStep<'a> {
/// DecidedStep { record, reported: false }
/// # }
/// ```
///
/// A verdict cannot be put together by hand either:
///
/// ```compile_fail,E0451
/// # use models::verdict::Verdict;
/// # use proof::{records::DecisionRecord, tagged::Hashed};
/// # fn f(decision: std::sync::Arc<Hashed<DecisionRecord>>) -> Verdict {
/// Verdict { decision }
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DecidedStep<'v> {
    /// The step as it is hashed. It names the verdict's decision.
    pub record: &'v Hashed<StepRecord>,
    /// It was told by a trace. Of any other step the schema too demands a decision.
    pub reported: bool,
    /// What the choke point concluded.
    pub verdict: &'v Verdict,
}

impl DecidedStep<'_> {
    /// The row, if the step and the verdict speak of the same.
    fn to_row(self) -> Result<steps::Model, StoreError> {
        let Self { record, reported, verdict } = self;
        let decision = verdict.record();
        let names_it = record.decision_id.as_deref() == Some(decision.decision_id.as_str());
        if !names_it || record.run_id != decision.run_id || record.tenant_id != decision.tenant_id {
            let row = format!("{}/{}", record.run_id, record.step_index);
            return Err(corrupt(&steps::Entity, row, "decision_id", "the step's verdict is about another"));
        }
        let demands = if reported { Assurance::Reported } else { Assurance::Enforced };
        to_row(record, demands, record.hash())
    }
}

impl TraceReads<'_> {
    /// A run's steps by index, a page at a time; those that were added after it was sealed come last. With a key, only
    /// those that it reported.
    pub async fn list_steps(
        self,
        tenant: TenantId,
        run: RunId,
        reported_by: Option<KeyId>,
        page: &PageRequest,
    ) -> Result<Page<StepRow>, StoreError> {
        let mut select = of(tenant).filter(Column::RunId.eq(run.0));
        if let Some(key) = reported_by {
            select = select.filter(Column::ReportedBy.eq(key.0));
        }
        let total = if page.total { Some(tally::count(self.conn, select.clone()).await?) } else { None };
        let mut select = select.order_by_asc(Column::StepIndex).limit(page.limit() + 1);
        if let Some(cursor) = page.cursor {
            let after = cursor.after().map_err(StoreError::Cursor)?;
            let after = i64::try_from(after).map_err(|_| StoreError::Cursor(PageError::Cursor))?;
            select = select.filter(Column::StepIndex.gt(after));
        }
        let rows =
            read::all(self.conn, select).await?.into_iter().map(step).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, total, |row| Cursor::After(row.record.step_index)))
    }

    /// All steps of a run's own trace by index: without those that were added after it was sealed.
    pub async fn all_steps(self, tenant: TenantId, run: RunId) -> Result<Vec<StepRow>, StoreError> {
        let select = of_run(tenant, run).order_by_asc(Column::StepIndex);
        read::all(self.conn, select).await?.into_iter().map(step).collect()
    }

    /// The steps that were added after a run was sealed, by index: those from `first` on.
    pub async fn late_steps(
        self,
        tenant: TenantId,
        run: RunId,
        first: u64,
    ) -> Result<Vec<StepRow>, StoreError> {
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        let select = of(tenant).filter(Column::RunId.eq(run.0)).filter(Column::StepIndex.gte(first));
        read::all(self.conn, select.order_by_asc(Column::StepIndex)).await?.into_iter().map(step).collect()
    }

    /// Where the spans that are recorded under these keys are among a run's steps, as many of them as there are.
    pub async fn span_places(
        self,
        tenant: TenantId,
        run: RunId,
        keys: &[String],
    ) -> Result<HashMap<String, u64>, StoreError> {
        let keys: Vec<(RunId, String)> = keys.iter().map(|key| (run, key.clone())).collect();
        let found = self.find_steps_by_keys(tenant, &keys).await?;
        let spans = found.into_iter().filter(|row| row.record.external_span_id.is_some());
        Ok(spans.filter_map(|row| Some((row.record.idempotency_key?, row.record.step_index))).collect())
    }

    /// The steps that were recorded under these idempotency keys of runs.
    pub async fn find_steps_by_keys(
        self,
        tenant: TenantId,
        keys: &[(RunId, String)],
    ) -> Result<Vec<StepRow>, StoreError> {
        let keys = keys::in_order(keys).into_iter().map(|(run, key)| [run.0.into(), key.into()]).collect();
        // The index has only steps with a key, and SQLite does not see by itself that these have one.
        let keyed = of(tenant).filter(Column::IdempotencyKey.is_not_null());
        let rows = read::by_keys(self.conn, keyed, [Column::RunId, Column::IdempotencyKey], keys).await?;
        rows.into_iter().map(step).collect()
    }
}

impl TraceStore<'_> {
    /// Adds steps, each with its hash. A (trace, index) or a run's idempotency key that is taken is a conflict.
    pub async fn insert_steps(self, steps: &[DecidedStep<'_>]) -> Result<(), StoreError> {
        let rows = steps.iter().map(|step| step.to_row()).collect::<Result<Vec<_>, _>>()?;
        bulk::insert::<steps::Entity>(self.conn, rows).await
    }
}

/// The steps of a run's own trace.
fn of_run(tenant: TenantId, run: RunId) -> Select<steps::Entity> {
    use aos_traces::Column as T;
    let own = traces::own(tenant).filter(T::RunId.eq(run.0)).select_only().column(T::Id);
    of(tenant).filter(Column::RunId.eq(run.0)).filter(Column::TraceId.in_subquery(own.into_query()))
}

fn step(row: steps::Model) -> Result<StepRow, StoreError> {
    let key = format!("{}/{}", row.run_id, row.step_index);
    let (assurance, step_hash) = (row.assurance.clone(), row.step_hash.clone());
    let demands: Assurance =
        assurance.get().map_err(|why| corrupt(&steps::Entity, key.clone(), "assurance", &why))?;
    Ok(StepRow {
        reported: demands == Assurance::Reported,
        step_hash: step_hash.get().map_err(|why| corrupt(&steps::Entity, key, "step_hash", &why))?,
        record: from_row(row)?,
    })
}
