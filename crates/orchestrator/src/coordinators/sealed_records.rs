//! Every record that a run's receipt covers, and every one that its addenda do, read back from its segments and from the
//! columns of its tables.

use std::collections::BTreeMap;

use drivers::{ReadTx, StoreError};
use engines::activity::run_record;
use models::{activity::Run, ids::TenantId, incidents::RunIncident};
use proof::{
    hash::Hash,
    records::{Record, RecordKind},
};

use crate::bridges::Bridges;

/// The records of a run, each kind in the order of its place.
pub(super) struct RecordsOfRun {
    /// Those that its receipt covers, or will.
    pub(super) sealed: Vec<Record>,
    /// Those that came after it was sealed.
    pub(super) late: Vec<Record>,
    /// The hashes of the steps among those that the receipt covers, of the bytes that are stored.
    pub(super) step_hashes: Vec<Hash>,
}

/// Every record of a run.
pub(super) async fn records_of_run(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<RecordsOfRun, StoreError> {
    let (records, mut step_hashes) = stored_records(store, tenant, run).await?;
    let (mut late, mut sealed) = match sealed_counts(store, tenant, run).await? {
        Some(counts) => records.into_iter().partition(|record| is_late(record, &counts)),
        None => (Vec::new(), records),
    };
    in_order(&mut sealed);
    in_order(&mut late);
    step_hashes.truncate(sealed.iter().filter(|record| record.kind() == RecordKind::Step).count());
    Ok(RecordsOfRun { sealed, late, step_hashes })
}

/// How many records of each kind the receipt covers; none where nothing came later.
async fn sealed_counts(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<Option<BTreeMap<RecordKind, u64>>, StoreError> {
    if run.late.is_none() {
        return Ok(None);
    }
    let trace = store.traces().find_trace(tenant, run.trace_id).await?;
    Ok(trace.map(|trace| trace.ranges.counts()))
}

fn is_late(record: &Record, sealed: &BTreeMap<RecordKind, u64>) -> bool {
    let end = sealed.get(&record.kind()).copied().unwrap_or(0);
    record.position().is_some_and(|place| place >= end)
}

/// All records, whenever they came, and the hashes of the steps.
async fn stored_records(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<(Vec<Record>, Vec<Hash>), StoreError> {
    let id = run.id;
    let Bridges { activity, incidents, logs, policies } = Bridges::over(store, tenant);
    let held = logs.records_of_run(id).await?;
    let mut records = Vec::new();
    records.extend(held.activities.into_iter().map(Record::Activity));
    records.extend(policies.breaches_of_run(id).await?.into_iter().map(Record::Breach));
    records.extend(logs.capture_failures_of_run(id).await?.into_iter().map(Record::CaptureFailure));
    records.extend(held.decisions.into_iter().map(Record::Decision));
    let enforcements = policies.enforcements_of_run(id).await?;
    records.extend(enforcements.into_iter().filter(|record| record.seq.is_some()).map(Record::Enforcement));
    records.extend(held.environment.map(Record::Environment));
    let of_run = incidents.incidents_of_run(id).await?;
    records.extend(of_run.iter().filter_map(RunIncident::record).map(Record::Incident));
    records.extend(held.gaps.into_iter().map(Record::Gap));
    records.extend(held.integrity.map(Record::Integrity));
    let met = activity.interventions_of_run(id).await?;
    records.extend(met.into_iter().map(Record::Intervention));
    let preventions = policies.prevention_records_of_run(id).await?;
    records.extend(preventions.into_iter().filter(|record| record.seq.is_some()).map(Record::Prevention));
    records.extend(held.providers.into_iter().map(Record::Provider));
    records.extend(run_record(run).map(Record::Run));
    let step_hashes = held.steps.iter().map(|step| step.step_hash).collect();
    records.extend(held.steps.into_iter().map(|step| Record::Step(step.record)));
    Ok((records, step_hashes))
}

fn in_order(records: &mut [Record]) {
    let place = |record: &Record| -> (RecordKind, Option<u64>) { (record.kind(), record.position()) };
    if !records.is_sorted_by_key(place) {
        records.sort_by_key(place);
    }
}
