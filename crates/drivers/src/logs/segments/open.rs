//! A segment opened, and held against what its row says in the open.

use entities::logs::run_segments as segments;
use proof::segment;
use sea_orm::DbErr;

use super::lines::{Counted, RunRecords};
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
    let lines = bytes(row)?;
    let (tenant, run) = (row.tenant_id.to_string(), row.run_id.to_string());
    let (before, steps_before) = (records.counts(), records.steps.len());
    let count = records.read(&lines, &tenant, &run).map_err(|why| bad(row, "body", &why))?;
    let mut held = records.counts();
    for ((_, now), (_, before)) in held.iter_mut().zip(before) {
        *now -= before;
    }
    let indices = records.steps.iter().skip(steps_before).map(|step| step.record.step_index);
    says_what_it_holds(row, count, &held, indices)
}

/// What its body opens to.
pub(super) fn bytes(row: &segments::Model) -> Result<Vec<u8>, StoreError> {
    let length = usize::try_from(row.raw_length).map_err(|err| bad(row, "raw_length", &err.to_string()))?;
    segment::open(row.codec, &row.body, length).map_err(|why| bad(row, "body", &why))
}

/// Whether what stands in the open is so: by it steps are looked for, and runs graded. It holds so many records, of
/// each kind so many, and the steps with these indices.
pub(super) fn says_what_it_holds(
    row: &segments::Model,
    count: u64,
    held: &Counted,
    indices: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    let told: Result<u64, _> = row.record_count.get();
    if told != Ok(count) {
        return Err(bad(row, "record_count", &format!("there are {count}")));
    }
    let told =
        [row.step_count, row.decision_count, row.environment_count, row.activity_count, row.provider_count];
    for ((column, held), told) in held.iter().zip(told) {
        if i64::try_from(*held) != Ok(told) {
            return Err(bad(row, column, &format!("there are {held}")));
        }
    }
    let first: Result<u64, _> = row.first_step.get();
    let first = first.map_err(|why| bad(row, "first_step", &why))?;
    let mut placed = indices.zip(first..);
    match placed.find(|(index, place)| index != place) {
        Some((index, place)) => {
            Err(bad(row, "first_step", &format!("step {index} is in the place of step {place}")))
        }
        None => Ok(()),
    }
}

/// What is wrong with a segment.
pub(super) fn bad(row: &segments::Model, column: &str, why: &str) -> StoreError {
    corrupt(&segments::Entity, place(row), column, why)
}

/// Which segment a row is.
pub(super) fn place(row: &segments::Model) -> String {
    format!("{}/{}", row.run_id, row.first_record)
}

/// A row that is none.
pub(super) fn unreadable(err: &DbErr) -> StoreError {
    StoreError::Corrupt { table: "run_segments", row: "?".to_owned(), why: err.to_string() }
}
