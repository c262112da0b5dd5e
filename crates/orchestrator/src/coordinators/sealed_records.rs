//! Every record that a run's receipt covers, and every one that its addenda do, read back from its segments and from
//! the columns of its tables.

use drivers::{
    ReadTx, StoreError,
    bundles::{EvidenceRows, TableRows},
    logs::{Named, RunRecords, SealedCounts},
};
use engines::activity::run_record;
use models::{activity::Run, ids::TenantId, incidents::RunIncident, logs::Trace};
use proof::{
    hash::Hash,
    records::{Record, RecordKind},
    segment::MissingSegment,
};

/// The records of a run, each kind in the order of its place.
pub(super) struct RecordsOfRun {
    /// Those that its receipt covers, or will.
    pub(super) sealed: Vec<Record>,
    /// Those that came after it was sealed.
    pub(super) late: Vec<Record>,
    /// The hashes of the steps among those that the receipt covers, of the bytes that are stored.
    pub(super) step_hashes: Vec<Hash>,
    /// The segments of the run that are not there, or not what was recorded: what they held is in none of these.
    pub(super) missing: Vec<MissingSegment>,
    /// The texts that the steps name.
    pub(super) named: Named,
}

impl RecordsOfRun {
    /// The records among the rows of a run. What its receipt covers of them its trace has counted; none of them came
    /// later where the run says so.
    fn of(run: &Run, trace: Option<&Trace>, mut rows: EvidenceRows) -> Self {
        let (missing, named) = (std::mem::take(&mut rows.missing), std::mem::take(&mut rows.named));
        let mut step_hashes: Vec<Hash> = rows.records.steps.iter().map(|step| step.step_hash).collect();
        let mut records = of_tables(run, rows.tables);
        records.extend(of_segments(rows.records));
        let (sealed, late) = parted(records, sealed_counts(run, trace).as_ref());
        step_hashes.truncate(sealed.iter().filter(|record| record.kind() == RecordKind::Step).count());
        Self { sealed, late, step_hashes, missing, named }
    }
}

/// Every record of a run that can be read.
pub(super) async fn records_of_run(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<RecordsOfRun, StoreError> {
    let rows = store.bundles().get_evidence(tenant, run.id).await?;
    let trace = match run.late {
        Some(_) => store.traces().find_trace(tenant, run.trace_id).await?,
        None => None,
    };
    Ok(RecordsOfRun::of(run, trace.as_ref(), rows))
}

/// How many records of each kind the receipt covers; none where none came later.
pub(super) fn sealed_counts(run: &Run, trace: Option<&Trace>) -> Option<SealedCounts> {
    trace.filter(|_| run.late.is_some()).map(|trace| trace.ranges.counts())
}

/// What the receipt covers, or will, and what came later, each kind in the order of its place.
pub(super) fn parted(records: Vec<Record>, sealed: Option<&SealedCounts>) -> (Vec<Record>, Vec<Record>) {
    let (mut late, mut sealed) = match sealed {
        Some(counts) => records.into_iter().partition(|record| is_late(record, counts)),
        None => (Vec::new(), records),
    };
    in_order(&mut sealed);
    in_order(&mut late);
    (sealed, late)
}

fn is_late(record: &Record, sealed: &SealedCounts) -> bool {
    let end = sealed.get(&record.kind()).copied().unwrap_or(0);
    record.position().is_some_and(|place| place >= end)
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

/// Those that stand in segments.
fn of_segments(held: RunRecords) -> Vec<Record> {
    let mut records = Vec::new();
    records.extend(held.activities.into_iter().map(Record::Activity));
    records.extend(held.decisions.into_iter().map(Record::Decision));
    records.extend(held.environment.map(Record::Environment));
    records.extend(held.gaps.into_iter().map(Record::Gap));
    records.extend(held.integrity.map(Record::Integrity));
    records.extend(held.providers.into_iter().map(Record::Provider));
    records.extend(held.steps.into_iter().map(|step| Record::Step(step.record)));
    records
}

/// Puts them in the order of their places, each kind by itself.
pub(super) fn in_order(records: &mut [Record]) {
    let place = |record: &Record| -> (RecordKind, Option<u64>) { (record.kind(), record.position()) };
    if !records.is_sorted_by_key(place) {
        records.sort_by_key(place);
    }
}
