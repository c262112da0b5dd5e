//! Segments out: whole runs, the steps of a range, the steps under keys. One that does not open is an error that names it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use entities::logs::{
    run_segments::{self as segments, Column},
    step_keys,
};
use models::{
    ids::{DecisionId, RunId, TenantId},
    logs::{StepKey, StepRow},
};
use proof::records::DecisionRecord;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    lines::RunRecords,
    open::{open, opened, place, unreadable},
    write::digest,
};
use crate::{
    StoreError,
    conn::Conn,
    driver::of_tenant,
    field::{Field as _, corrupt},
    keys, read, tally,
};

of_tenant!(segments);

/// Steps that are no further apart are asked for together.
const NEAR: u64 = 64;

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
}

/// Everything that the segments of a run hold, in order.
pub(crate) async fn of_run(conn: &Conn, tenant: TenantId, run: RunId) -> Result<RunRecords, StoreError> {
    let mut records = RunRecords::default();
    each_of_run(conn, tenant, run, |row| open(row, &mut records)).await?;
    Ok(records)
}

/// The decisions among them. Of the rest no more is held than one segment has.
pub(crate) async fn decisions_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
) -> Result<Vec<DecisionRecord>, StoreError> {
    let mut decisions = Vec::new();
    each_of_run(conn, tenant, run, |row| {
        decisions.extend(opened(row)?.decisions);
        Ok(())
    })
    .await?;
    Ok(decisions)
}

/// Takes each segment of a run, in order; one that is missing between them is named when it is its turn.
async fn each_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    mut take: impl FnMut(&segments::Model) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::FirstRecord);
    let mut next = 0;
    for row in read::all(conn, select).await? {
        // What is not there is not passed over: whoever asks for all of a run is told what is missing.
        if row.first_record != next {
            let why = if row.first_record > next {
                format!("the records {next} to {} are not there", row.first_record - 1)
            } else {
                format!("there is a segment with the records up to {next} already")
            };
            return Err(corrupt(&segments::Entity, place(&row), "first_record", &why));
        }
        next = row.first_record.saturating_add(row.record_count);
        take(&row)?;
    }
    Ok(())
}

/// The segments that hold steps of these indices of runs, by run and in order; each is opened when it is asked for, so that one
/// alone is held as it was.
pub(crate) async fn in_steps(
    conn: &Conn,
    tenant: TenantId,
    of_runs: &[(RunId, Range<u64>)],
) -> Result<impl Iterator<Item = Result<(RunId, RunRecords), StoreError>>, StoreError> {
    let mut rows = Vec::new();
    for chunk in of_runs.chunks(RANGES_AT_ONCE) {
        let query = union_of(chunk, |run, indices| in_range(tenant, run, indices));
        for row in conn.rows(conn.statement(&query)).await? {
            rows.push(segments::Model::from_query_result(&row, "").map_err(|err| unreadable(&err))?);
        }
    }
    rows.sort_unstable_by_key(|row: &segments::Model| (row.run_id.0, row.first_record));
    // Two ranges may meet in one segment.
    rows.dedup_by_key(|row| (row.run_id.0, row.first_record));
    Ok(rows.into_iter().map(|row| Ok((row.run_id.0, opened(&row)?))))
}

/// What is asked of runs, a term a run: asked for several runs in one condition, SQLite goes over all rows of the tenant. Up to a
/// power of two there are terms of no run, so that statements have few texts (ADR 13).
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

/// Single steps as few ranges of steps: those that are near each other are mostly in the same segments.
fn ranges_of(steps: impl Iterator<Item = (RunId, u64)>) -> Vec<(RunId, Range<u64>)> {
    let mut steps: Vec<(RunId, u64)> = steps.collect();
    steps.sort_unstable();
    let mut ranges: Vec<(RunId, Range<u64>)> = Vec::new();
    for (run, at) in steps {
        match ranges.last_mut() {
            Some((of, range)) if *of == run && at < range.end.saturating_add(NEAR) => {
                range.end = at.saturating_add(1);
            }
            _ => ranges.push((run, at..at.saturating_add(1))),
        }
    }
    ranges
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

/// The steps that were recorded under these keys of runs, with their decisions.
pub(crate) async fn steps_under(
    conn: &Conn,
    tenant: TenantId,
    keys: &[(RunId, StepKey)],
) -> Result<Vec<JudgedStep>, StoreError> {
    let wanted: HashMap<(RunId, u64), &StepKey> = {
        let place = |(run, key): &(RunId, StepKey)| (*run, digest(key.text()));
        let by_place: HashMap<((RunId, Vec<u8>), bool), &StepKey> =
            keys.iter().map(|of| ((place(of), of.1.is_span()), &of.1)).collect();
        let mut wanted = HashMap::new();
        for row in places_under(conn, tenant, keys.iter().map(place).collect()).await? {
            let (at, run) = (step_of(&row)?, row.run_id.0);
            let key = by_place.get(&((run, row.digest), row.is_span));
            wanted.extend(key.map(|key| ((run, at), *key)));
        }
        wanted
    };
    let ranges = ranges_of(wanted.keys().copied());
    let mut found = Vec::with_capacity(wanted.len());
    for opened in in_steps(conn, tenant, &ranges).await? {
        let (run, records) = opened?;
        let is_wanted = |step: &StepRow| {
            let key = wanted.get(&(run, step.record.step_index));
            key.is_some_and(|key| StepKey::of(&step.record).as_ref() == Some(*key))
        };
        found.extend(judged(records).filter(|step| is_wanted(&step.step)));
    }
    let is_there = |run: &RunId, at: &u64| {
        let run = run.to_string();
        found.iter().any(|one| one.step.record.run_id == run && one.step.record.step_index == *at)
    };
    if found.len() < wanted.len()
        && let Some((run, at)) = wanted.keys().find(|(run, at)| !is_there(run, at))
    {
        let why = format!("it names step {at}, which is not there under its key");
        return Err(StoreError::Corrupt { table: "step_keys", row: run.to_string(), why });
    }
    Ok(found)
}

/// Where the spans that are recorded under these keys are among a run's steps.
pub(crate) async fn spans_under(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    keys: &[String],
) -> Result<HashMap<String, u64>, StoreError> {
    let by_digest: HashMap<Vec<u8>, &String> = keys.iter().map(|key| (digest(key), key)).collect();
    let digests = by_digest.keys().map(|digest| (run, digest.clone())).collect();
    let mut places = HashMap::new();
    for row in places_under(conn, tenant, digests).await?.into_iter().filter(|row| row.is_span) {
        let at = step_of(&row)?;
        places.extend(by_digest.get(&row.digest).map(|key| ((*key).clone(), at)));
    }
    Ok(places)
}

fn keys_of(tenant: TenantId) -> Select<step_keys::Entity> {
    step_keys::Entity::find().filter(step_keys::Column::TenantId.eq(tenant.0))
}

/// The rows of keys of which these are the runs and the digests.
async fn places_under(
    conn: &Conn,
    tenant: TenantId,
    digests: Vec<(RunId, Vec<u8>)>,
) -> Result<Vec<step_keys::Model>, StoreError> {
    use step_keys::Column as K;
    let digests = keys::in_order(&digests).into_iter().map(|(run, of)| [run.0.into(), of.into()]).collect();
    read::by_keys(conn, keys_of(tenant), [K::RunId, K::Digest], digests).await
}

/// The index that a key's row names.
fn step_of(row: &step_keys::Model) -> Result<u64, StoreError> {
    row.step_index
        .get()
        .map_err(|why| corrupt(&step_keys::Entity, row.run_id.to_string(), "step_index", &why))
}

/// The decisions of runs that there are among these. A call that comes again mostly comes soon: the newest segments of each run
/// are looked into first, and of those runs alone of which some are still missing the ones before.
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
                let decisions = opened(&row)?.decisions.into_iter();
                found.extend(decisions.filter(|decision| of_run.remove(&decision.decision_id)));
            }
        }
        let is_missing = |run: &RunId| wanted.get(run).is_some_and(|ids| !ids.is_empty());
        before = reached.into_iter().filter(|(run, first)| *first > 0 && is_missing(run)).collect();
    }
    Ok(found)
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
        JudgedStep { step, decision }
    })
}

/// The index that comes behind the last step of a run.
pub(crate) async fn end_of_steps(conn: &Conn, tenant: TenantId, run: RunId) -> Result<u64, StoreError> {
    let last = of(tenant)
        .filter(Column::RunId.eq(run.0))
        .select_only()
        .columns([Column::FirstStep, Column::StepCount])
        .order_by_desc(Column::FirstStep)
        .order_by_desc(Column::StepCount)
        .limit(1)
        .into_query();
    let rows = conn.rows(conn.statement(&last)).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let number = |column| tally::number("run_segments", Some(row), column);
    Ok(number(0)?.saturating_add(number(1)?))
}
