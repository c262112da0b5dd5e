//! A segment opened, and held against what its row says in the open.

use entities::logs::run_segments as segments;
use proof::segment;
use sea_orm::DbErr;

use super::lines::RunRecords;
use crate::{
    StoreError,
    field::{Field as _, corrupt},
};

/// The records of a segment.
pub(super) fn opened(row: &segments::Model) -> Result<RunRecords, StoreError> {
    let mut records = RunRecords::default();
    open(row, &mut records)?;
    Ok(records)
}

/// Adds the records of a segment.
pub(super) fn open(row: &segments::Model, records: &mut RunRecords) -> Result<(), StoreError> {
    let bad = |column: &str, why: &str| corrupt(&segments::Entity, place(row), column, why);
    let length = usize::try_from(row.raw_length).map_err(|err| bad("raw_length", &err.to_string()))?;
    let lines = segment::open(row.codec, &row.body, length).map_err(|why| bad("body", &why))?;
    let (tenant, run) = (row.tenant_id.to_string(), row.run_id.to_string());
    let before = records.counts();
    let count = records.read(&lines, &tenant, &run).map_err(|why| bad("body", &why))?;
    let told: Result<u64, _> = row.record_count.get();
    if told != Ok(count) {
        return Err(bad("record_count", &format!("there are {count}")));
    }
    says_what_it_holds(row, &before, records).map_err(|(column, why)| bad(column, &why))
}

/// Whether what stands in the open is so: by it steps are looked for, and runs graded.
fn says_what_it_holds(
    row: &segments::Model,
    before: &[(&str, usize); 5],
    records: &RunRecords,
) -> Result<(), (&'static str, String)> {
    let told =
        [row.step_count, row.decision_count, row.environment_count, row.activity_count, row.provider_count];
    for (((column, now), (_, before)), told) in records.counts().into_iter().zip(before).zip(told) {
        let held = now - before;
        if i64::try_from(held) != Ok(told) {
            return Err((column, format!("there are {held}")));
        }
    }
    let [(_, steps_before), ..] = before;
    let first: Result<u64, _> = row.first_step.get();
    let first = first.map_err(|why| ("first_step", why))?;
    let indices = records.steps.iter().skip(*steps_before).map(|step| step.record.step_index);
    match indices.zip(first..).find(|(index, place)| index != place) {
        Some((index, place)) => Err(("first_step", format!("step {index} is in the place of step {place}"))),
        None => Ok(()),
    }
}

/// Which segment a row is.
pub(super) fn place(row: &segments::Model) -> String {
    format!("{}/{}", row.run_id, row.first_record)
}

/// A row that is none.
pub(super) fn unreadable(err: &DbErr) -> StoreError {
    StoreError::Corrupt { table: "run_segments", row: "?".to_owned(), why: err.to_string() }
}
