//! The segments of a run as they are stored, a page at a time: for who goes through a run of any length.

use entities::logs::run_segments::{self as segments, Column, Model};
use models::ids::{RunId, TenantId};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::held::Place;
use crate::{StoreError, conn::Conn, driver::of_tenant, read};

of_tenant!(segments);

/// A segment as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSegment(pub(super) Model);

impl StoredSegment {
    /// How many bytes it has, pressed.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.body.len()
    }

    /// How many steps of its run there are with those that it holds, as it says in the open.
    #[must_use]
    pub fn steps_with_it(&self) -> u64 {
        let [first, count] = [self.0.first_step, self.0.step_count].map(|at| u64::try_from(at).unwrap_or(0));
        first.saturating_add(count)
    }
}

/// How far the segments of a run go at one moment: whatever comes later is behind that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentsEnd {
    /// The place of the last. None where there is none.
    last: Option<i64>,
    /// How much the run has counted; none where its trace is gone.
    pub(super) counted: Option<Place>,
}

/// How far they go now.
pub(crate) async fn end_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    counted: Option<Place>,
) -> Result<SegmentsEnd, StoreError> {
    let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_desc(Column::FirstRecord);
    let last = read::one(conn, select).await?.map(|row| row.first_record);
    Ok(SegmentsEnd { last, counted })
}

/// The next segments of a run behind this one, or the first of them; none where that is the end.
pub(crate) async fn some_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    behind: Option<&StoredSegment>,
    end: &SegmentsEnd,
    most: u64,
) -> Result<Vec<StoredSegment>, StoreError> {
    let Some(last) = end.last else { return Ok(Vec::new()) };
    let of_run = of(tenant).filter(Column::RunId.eq(run.0)).filter(Column::FirstRecord.lte(last));
    let select = match behind {
        Some(StoredSegment(row)) => of_run.filter(Column::FirstRecord.gt(row.first_record)),
        None => of_run,
    };
    let rows = read::all(conn, select.order_by_asc(Column::FirstRecord).limit(most)).await?;
    Ok(rows.into_iter().map(StoredSegment).collect())
}
