//! Segments out: the steps of ranges, decisions, how runs began. One that does not open is an error that names it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use entities::logs::run_segments::{self as segments, Column};
use models::{
    ids::{DecisionId, RunId, TenantId},
    logs::{StepRow, StepTexts},
};
use proof::records::DecisionRecord;
use sea_orm::{
    ColumnTrait as _, FromQueryResult as _, Order, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, QueryTrait as _,
    sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    lines::RunRecords,
    open::{opened, unreadable},
};
use crate::{StoreError, conn::Conn, driver::of_tenant, keys, read, tally};

of_tenant!(segments);

/// So many segments of a run are looked into at once for a decision.
const SEGMENTS_AT_ONCE: u64 = 32;

/// So many ranges are asked for at once: terms of one UNION, of which SQLite takes 500.
pub(crate) const RANGES_AT_ONCE: usize = 100;

/// A step, and the decision that gave its verdict, which the same group made.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedStep {
    /// The step.
    pub step: StepRow,
    /// None where it is not there any more.
    pub decision: Option<DecisionRecord>,
    /// What went in and out of it, where that was asked for.
    pub texts: StepTexts,
}

/// The segments that hold steps of these indices of runs, by run and in order; each is opened when it is asked for, so
/// that one alone is held as it was.
pub(crate) async fn in_steps(
    conn: &Conn,
    tenant: TenantId,
    of_runs: &[(RunId, Range<u64>)],
) -> Result<impl Iterator<Item = Result<(RunId, RunRecords), StoreError>>, StoreError> {
    let rows = rows_of(conn, tenant, of_runs, in_range).await?;
    Ok(rows.into_iter().map(|row| Ok((row.run_id.0, opened(&row)?))))
}

/// The rows that are asked for of ranges of runs, a term a range; by run and in order, each once: two ranges may meet
/// in one segment.
pub(super) async fn rows_of(
    conn: &Conn,
    tenant: TenantId,
    of_runs: &[(RunId, Range<u64>)],
    term: fn(TenantId, RunId, &Range<u64>) -> SelectStatement,
) -> Result<Vec<segments::Model>, StoreError> {
    let mut rows = Vec::new();
    for chunk in of_runs.chunks(RANGES_AT_ONCE) {
        let query = union_of(chunk, |run, indices| term(tenant, run, indices));
        for row in conn.rows(conn.statement(&query)).await? {
            rows.push(segments::Model::from_query_result(&row, "").map_err(|err| unreadable(&err))?);
        }
    }
    rows.sort_unstable_by_key(|row: &segments::Model| (row.run_id.0, row.first_record));
    rows.dedup_by_key(|row| (row.run_id.0, row.first_record));
    Ok(rows)
}

/// What is asked of runs, a term a run: asked for several runs in one condition, SQLite goes over all rows of the
/// tenant. Up to a power of two there are terms of no run, so that statements have few texts (ADR 13).
pub(crate) fn union_of<R: Default>(
    of_runs: &[(RunId, R)],
    term: impl Fn(RunId, &R) -> SelectStatement,
) -> SelectStatement {
    let padding = of_runs.len().next_power_of_two() - of_runs.len();
    let none = (RunId(Uuid::nil()), R::default());
    let padded = of_runs.iter().chain(std::iter::repeat_n(&none, padding));
    let mut terms = padded.map(|(run, of)| term(*run, of));
    let mut query = terms.next().unwrap_or_default();
    query.unions(terms.map(|term| (UnionType::All, term)));
    query
}

fn in_range(tenant: TenantId, run: RunId, indices: &Range<u64>) -> SelectStatement {
    let [first, end] = [indices.start, indices.end].map(|at| i64::try_from(at).unwrap_or(i64::MAX));
    // The last that begins at or before the first index.
    let begins = of(tenant)
        .filter(Column::RunId.eq(run.0))
        .filter(Column::FirstStep.lte(first))
        .filter(Column::StepCount.gt(0_i64))
        .select_only()
        .expr(Expr::col(Column::FirstStep).max())
        .into_query();
    let begins = Expr::from(Func::coalesce([Expr::from(begins), Expr::val(0_i64)]));
    of(tenant)
        .filter(Column::RunId.eq(run.0))
        .filter(Column::StepCount.gt(0_i64))
        .filter(Column::FirstStep.lt(end))
        .filter(Expr::col(Column::FirstStep).gte(begins))
        .into_query()
}

/// The first segment of each of these runs, opened.
pub(crate) async fn first_of_runs(
    conn: &Conn,
    tenant: TenantId,
    runs: &[RunId],
) -> Result<Vec<RunRecords>, StoreError> {
    let select = of(tenant).filter(Column::FirstRecord.eq(0_i64));
    let rows = read::by_keys(conn, select, [Column::RunId], keys::sorted(runs)).await?;
    rows.iter().map(opened).collect()
}

/// The decisions of runs that there are among these. A call that comes again mostly comes soon: the newest segments of
/// each run are looked into first, and of those runs alone of which some are still missing the ones before.
pub(crate) async fn decisions_of(
    conn: &Conn,
    tenant: TenantId,
    ids: &[(RunId, DecisionId)],
) -> Result<Vec<DecisionRecord>, StoreError> {
    let mut wanted: HashMap<RunId, HashSet<String>> = HashMap::new();
    for (run, id) in ids {
        wanted.entry(*run).or_default().insert(id.to_string());
    }
    let mut found = Vec::with_capacity(ids.len());
    // A segment that does not open may hold one of those that are not found, and then nobody can say that there is
    // none.
    let mut damaged: Vec<(RunId, StoreError)> = Vec::new();
    let mut before: Vec<(RunId, i64)> = wanted.keys().map(|run| (*run, i64::MAX)).collect();
    while !before.is_empty() {
        let mut reached: HashMap<RunId, i64> = HashMap::new();
        for chunk in before.chunks(RANGES_AT_ONCE) {
            let query = union_of(chunk, |run, before| newest_before(tenant, run, *before));
            for row in conn.rows(conn.statement(&query)).await? {
                let row = segments::Model::from_query_result(&row, "").map_err(|err| unreadable(&err))?;
                let first = reached.entry(row.run_id.0).or_insert(row.first_record);
                *first = Ord::min(*first, row.first_record);
                let Some(of_run) = wanted.get_mut(&row.run_id.0) else { continue };
                match opened(&row) {
                    Ok(records) => {
                        let decisions = records.decisions.into_iter();
                        found.extend(decisions.filter(|decision| of_run.remove(&decision.decision_id)));
                    }
                    Err(err) => damaged.push((row.run_id.0, err)),
                }
            }
        }
        let is_missing = |run: &RunId| wanted.get(run).is_some_and(|ids| !ids.is_empty());
        before = reached.into_iter().filter(|(run, first)| *first > 0 && is_missing(run)).collect();
    }
    let is_missing = |run: &RunId| wanted.get(run).is_some_and(|ids| !ids.is_empty());
    match damaged.into_iter().find(|(run, _)| is_missing(run)) {
        Some((_, err)) => Err(err),
        None => Ok(found),
    }
}

/// The newest segments of a run before that place.
fn newest_before(tenant: TenantId, run: RunId, before: i64) -> SelectStatement {
    let newest = of(tenant)
        .filter(Column::RunId.eq(run.0))
        .filter(Column::FirstRecord.lt(before))
        .order_by_desc(Column::FirstRecord)
        .limit(SEGMENTS_AT_ONCE)
        .into_query();
    // A term of a UNION has no order of its own, unless it is a query in a query.
    Query::select().column(Asterisk).from_subquery(newest, "newest").to_owned()
}

/// The steps of a segment, each with its decision.
pub(crate) fn judged(records: RunRecords) -> impl Iterator<Item = JudgedStep> {
    let RunRecords { steps, decisions, .. } = records;
    let mut decisions: HashMap<String, DecisionRecord> =
        decisions.into_iter().map(|decision| (decision.decision_id.clone(), decision)).collect();
    steps.into_iter().map(move |step| {
        let decision = step.record.decision_id.as_deref().and_then(|id| decisions.remove(id));
        JudgedStep { step, decision, texts: StepTexts::default() }
    })
}

/// Where segments that hold steps of these indices are: the place of each, and its steps, as it says.
pub(crate) async fn places_of(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    indices: &Range<u64>,
) -> Result<Vec<(u64, Range<u64>)>, StoreError> {
    let mut query = in_range(tenant, run, indices);
    query
        .clear_selects()
        .columns([Column::FirstRecord, Column::FirstStep, Column::StepCount])
        .order_by(Column::FirstRecord, Order::Asc);
    let rows = conn.rows(conn.statement(&query)).await?;
    let number = |row: &QueryResult, column| -> Result<u64, StoreError> {
        let number: i64 = tally::value("run_segments", row, column)?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let place = |row: &QueryResult| {
        let (place, first, count) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
        Ok((place, first..first.saturating_add(count)))
    };
    rows.iter().map(place).collect()
}
