//! The segments of one run out: all of them, to be looked into, or those around steps of which some are missing.

use std::ops::Range;

use entities::logs::run_segments::{self as segments, Column};
use models::ids::{RunId, TenantId};
use proof::{contents::MissingContents, segment::MissingSegment};
use sea_orm::{
    ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Func, SelectStatement},
};

use super::{
    held::{HeldRecords, Place},
    keys::keys_of_run,
    read::rows_of,
};
use crate::{
    StoreError,
    conn::Conn,
    driver::of_tenant,
    keys,
    logs::{Named, TextsLook},
    read, tally,
};

of_tenant!(segments);

/// So many segments of a run are read at once where all of them are looked into.
const AT_ONCE: u64 = 32;

/// What it came to that all segments of a run were opened, and its keys held against them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedInto {
    /// How many segments there are.
    pub segments: u64,
    /// How many idempotency keys of steps.
    pub keys: u64,
    /// The segments that are not there, or not what was recorded.
    pub missing: Vec<MissingSegment>,
    /// The bodies of its texts that are not there, or not what was recorded.
    pub missing_contents: Vec<MissingContents>,
    /// What is wrong with the keys.
    pub wrong_keys: Vec<String>,
}

/// Opens all segments of a run and the bodies of its texts, a piece at a time, and keeps nothing of them. `counted` is
/// how much the run has counted.
pub(crate) async fn look_into(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    counted: Option<Place>,
) -> Result<LookedInto, StoreError> {
    let mut keys = keys_of_run(conn, tenant, run).await?;
    let mut looked = LookedInto { keys: keys.count, ..LookedInto::default() };
    let mut held = HeldRecords::default();
    let mut texts = TextsLook::begin(conn, tenant, run).await?;
    let mut after = -1_i64;
    loop {
        let of_run = of(tenant).filter(Column::RunId.eq(run.0)).filter(Column::FirstRecord.gt(after));
        let rows = read::all(conn, of_run.order_by_asc(Column::FirstRecord).limit(AT_ONCE)).await?;
        let Some(last) = rows.last() else { break };
        after = last.first_record;
        let mut of_piece = Named::default();
        for row in &rows {
            held.meet(row);
            let (steps, of_row) = held.take_steps();
            for step in &steps {
                keys.meet(&step.record);
            }
            of_piece.extend(of_row);
        }
        texts.go_on(conn, tenant, run, &of_piece).await?;
        looked.segments += rows.len() as u64;
    }
    if let Some(counted) = counted {
        held.end_at(counted);
    }
    looked.wrong_keys = keys.wrong(&held.missing);
    looked.missing_contents = texts.end(&held.missing).missing;
    looked.missing = held.missing;
    Ok(looked)
}

/// How many bytes a segment has once it is opened. It says so in the open, where somebody may have changed it: more
/// than 64 times its body is not believed.
const OPENED_BYTES: &str = "CASE WHEN raw_length BETWEEN 0 AND 64 * CAST(LENGTH(body) AS bigint) THEN raw_length \
    ELSE 64 * CAST(LENGTH(body) AS bigint) END";

/// How many bytes the segments of runs have once they are opened, as far as they can be believed; a run without any is
/// not listed.
pub(crate) async fn bytes_of(
    conn: &Conn,
    tenant: TenantId,
    runs: &[RunId],
) -> Result<Vec<(RunId, u64)>, StoreError> {
    tally::sums_by_keys(conn, of(tenant), Column::RunId, OPENED_BYTES, keys::sorted(runs)).await
}

/// The runs among these that do not begin with a segment: each by one look into an index, and nothing is opened.
pub(crate) async fn not_begun(
    conn: &Conn,
    tenant: TenantId,
    runs: &[RunId],
) -> Result<Vec<RunId>, StoreError> {
    let first = of(tenant).filter(Column::FirstRecord.eq(0_i64));
    let begun: Vec<(RunId, u64)> =
        tally::count_by_keys(conn, first, Column::RunId, keys::sorted(runs)).await?;
    Ok(runs.iter().filter(|run| begun.iter().all(|(of, _)| of != *run)).copied().collect())
}

/// The segments around some steps.
pub(crate) struct Around {
    /// What they hold, and what is missing among them.
    pub(crate) held: HeldRecords,
    /// There are none behind them.
    pub(crate) is_end: bool,
}

impl Around {
    /// Of a range of a run, out of the rows that [`rows_around`] gave of it and of others.
    pub(super) fn among(rows: &[segments::Model], run: RunId, indices: &Range<u64>) -> Self {
        let [first, end] = ends_of(indices);
        let of_run = || rows.iter().filter(move |row| row.run_id.0 == run);
        let begins = of_run().map(|row| row.first_step).filter(|at| *at <= first).max().unwrap_or(0);
        let ends = of_run().map(|row| row.first_step).filter(|at| *at >= end).min().unwrap_or(i64::MAX);
        let rows: Vec<_> = of_run().filter(|row| (begins..=ends).contains(&row.first_step)).collect();
        // Nothing comes before the first step: what is not there before that segment is missing.
        let is_begun = |row: &&segments::Model| row.first_step > 0 && row.first_step <= first;
        let begun_at = rows.first().copied().filter(is_begun).map_or_else(Place::default, Place::of);
        let mut held = HeldRecords::begun_at(begun_at);
        for row in &rows {
            held.meet(row);
        }
        Self { held, is_end: rows.iter().all(|row| row.first_step < end) }
    }
}

/// The segments from the last that begins at or before the first of these steps, to the first that begins behind them:
/// so one that is missing shows between its neighbours. For who has found that something is.
pub(crate) async fn around(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    indices: &Range<u64>,
) -> Result<Around, StoreError> {
    let rows = rows_around(conn, tenant, &[(run, indices.clone())]).await?;
    Ok(Around::among(&rows, run, indices))
}

/// The same segments, of several ranges.
pub(super) async fn rows_around(
    conn: &Conn,
    tenant: TenantId,
    of_runs: &[(RunId, Range<u64>)],
) -> Result<Vec<segments::Model>, StoreError> {
    rows_of(conn, tenant, of_runs, near).await
}

fn near(tenant: TenantId, run: RunId, indices: &Range<u64>) -> SelectStatement {
    let [first, end] = ends_of(indices);
    let of_run = || of(tenant).filter(Column::RunId.eq(run.0));
    let before = of_run().filter(Column::FirstStep.lte(first)).select_only();
    let before = before.expr(Expr::col(Column::FirstStep).max()).into_query();
    let behind = of_run().filter(Column::FirstStep.gte(end)).select_only();
    let behind = behind.expr(Expr::col(Column::FirstStep).min()).into_query();
    let begins = Expr::from(Func::coalesce([Expr::from(before), Expr::val(0_i64)]));
    let ends = Expr::from(Func::coalesce([Expr::from(behind), Expr::val(i64::MAX)]));
    of_run()
        .filter(Expr::col(Column::FirstStep).gte(begins))
        .filter(Expr::col(Column::FirstStep).lte(ends))
        .into_query()
}

/// The first index, and the one behind the last, as the store has them.
fn ends_of(indices: &Range<u64>) -> [i64; 2] {
    [indices.start, indices.end].map(|at| i64::try_from(at).unwrap_or(i64::MAX))
}
