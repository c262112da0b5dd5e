//! Which of a run's records its receipt covers, or will, and which came after it was sealed; and those of them that
//! stand in tables of their own.

use drivers::{bundles::TableRows, logs::SealedCounts};
use engines::activity::run_record;
use models::{activity::Run, incidents::RunIncident, logs::Trace};
use proof::records::{Record, RecordKind};

/// How many records of each kind the receipt covers; none where none came later.
pub(super) fn sealed_counts(run: &Run, trace: Option<&Trace>) -> Option<SealedCounts> {
    trace.filter(|_| run.late.is_some()).map(|trace| trace.ranges.counts())
}

/// What the receipt covers, or will, and what came later, each kind in the order of its place.
pub(super) fn parted(records: Vec<Record>, sealed: Option<&SealedCounts>) -> (Vec<Record>, Vec<Record>) {
    let is_late = |record: &Record| Came::of(record.kind(), record.position(), sealed) == Came::Late;
    let (mut late, mut sealed): (Vec<_>, Vec<_>) = records.into_iter().partition(is_late);
    in_order(&mut sealed);
    in_order(&mut late);
    (sealed, late)
}

/// Whether a record came before its run was sealed, and its receipt covers it, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It did.
    InTime,
    /// It came later, and an addendum covers it.
    Late,
}

impl Came {
    /// Of a record of this kind and in this place among them; with how many of each the receipt covers, where some came
    /// later.
    pub(super) fn of(kind: RecordKind, place: Option<u64>, sealed: Option<&SealedCounts>) -> Self {
        let end = sealed.map(|counts| counts.get(&kind).copied().unwrap_or(0));
        match place.zip(end) {
            Some((place, end)) if place >= end => Self::Late,
            _ => Self::InTime,
        }
    }
}

/// The records that stand in tables of their own, whenever they came.
pub(super) fn of_tables(run: &Run, rows: TableRows) -> Vec<Record> {
    let mut records = Vec::new();
    records.extend(rows.breaches.into_iter().map(Record::Breach));
    records.extend(rows.capture_failures.into_iter().map(Record::CaptureFailure));
    let enforcements = rows.enforcements.into_iter().filter(|record| record.seq.is_some());
    records.extend(enforcements.map(Record::Enforcement));
    records.extend(rows.incidents.iter().filter_map(RunIncident::record).map(Record::Incident));
    records.extend(rows.interventions.into_iter().map(Record::Intervention));
    let preventions = rows.preventions.into_iter().filter(|record| record.seq.is_some());
    records.extend(preventions.map(Record::Prevention));
    records.extend(run_record(run).map(Record::Run));
    records
}

/// Puts them in the order of their places, each kind by itself.
pub(super) fn in_order(records: &mut [Record]) {
    let place = |record: &Record| -> (RecordKind, Option<u64>) { (record.kind(), record.position()) };
    if !records.is_sorted_by_key(place) {
        records.sort_by_key(place);
    }
}
