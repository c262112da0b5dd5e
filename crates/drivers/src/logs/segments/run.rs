//! The segments of one run out: all of them, or those around steps of which some are missing.

use std::ops::Range;

use entities::logs::run_segments::{self as segments, Column};
use models::ids::{RunId, TenantId};
use proof::records::DecisionRecord;
use sea_orm::{
    ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Func},
};

use super::{
    held::{HeldRecords, Place},
    lines::RunRecords,
};
use crate::{StoreError, conn::Conn, driver::of_tenant, read};

of_tenant!(segments);

/// Everything that the segments of a run hold, in order; one that is missing is an error that names it.
pub(crate) async fn of_run(conn: &Conn, tenant: TenantId, run: RunId) -> Result<RunRecords, StoreError> {
    held_of_run(conn, tenant, run).await?.whole(&run.to_string())
}

/// The same, with those that are missing named beside the rest. What is not there at the end is for the caller to name, who knows
/// how much the run has counted.
pub(crate) async fn held_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
) -> Result<HeldRecords, StoreError> {
    let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::FirstRecord);
    let mut held = HeldRecords::default();
    for row in read::all(conn, select).await? {
        held.meet(&row);
    }
    Ok(held)
}

/// The decisions among it. Of the rest no more is held than one segment has.
pub(crate) async fn decisions_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
) -> Result<(Vec<DecisionRecord>, HeldRecords), StoreError> {
    let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::FirstRecord);
    let mut held = HeldRecords::default();
    let mut decisions = Vec::new();
    for row in read::all(conn, select).await? {
        held.meet(&row);
        decisions.append(&mut held.records.decisions);
        held.forget();
    }
    Ok((decisions, held))
}

/// The segments around some steps.
pub(crate) struct Around {
    /// What they hold, and what is missing among them.
    pub(crate) held: HeldRecords,
    /// There are none behind them.
    pub(crate) is_end: bool,
}

/// The segments from the last that begins at or before the first of these steps, to the first that begins behind them: so one
/// that is missing shows between its neighbours. For who has found that something is.
pub(crate) async fn around(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    indices: &Range<u64>,
) -> Result<Around, StoreError> {
    let [first, end] = [indices.start, indices.end].map(|at| i64::try_from(at).unwrap_or(i64::MAX));
    let of_run = || of(tenant).filter(Column::RunId.eq(run.0));
    let before = of_run().filter(Column::FirstStep.lte(first)).select_only();
    let before = before.expr(Expr::col(Column::FirstStep).max()).into_query();
    let behind = of_run().filter(Column::FirstStep.gte(end)).select_only();
    let behind = behind.expr(Expr::col(Column::FirstStep).min()).into_query();
    let begins = Expr::from(Func::coalesce([Expr::from(before), Expr::val(0_i64)]));
    let ends = Expr::from(Func::coalesce([Expr::from(behind), Expr::val(i64::MAX)]));
    let select = of_run()
        .filter(Expr::col(Column::FirstStep).gte(begins))
        .filter(Expr::col(Column::FirstStep).lte(ends))
        .order_by_asc(Column::FirstRecord);
    let rows = read::all(conn, select).await?;
    // Nothing comes before the first step: what is not there before that segment is missing.
    let is_begun = |row: &&segments::Model| row.first_step > 0 && row.first_step <= first;
    let begun_at = rows.first().filter(is_begun).map_or_else(Place::default, Place::of);
    let mut held = HeldRecords::begun_at(begun_at);
    for row in &rows {
        held.meet(row);
    }
    Ok(Around { held, is_end: rows.iter().all(|row| row.first_step < end) })
}
