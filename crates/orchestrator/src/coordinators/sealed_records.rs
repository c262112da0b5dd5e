//! Every record that a run's receipt covers, and every one that its addenda do, read back from the columns of its
//! tables.

use std::collections::BTreeMap;

use drivers::{ReadTx, StoreError};
use engines::activity::run_record;
use models::{activity::Run, ids::TenantId, incidents::RunIncident, logs::StepRow};
use proof::records::{Record, RecordKind};

use crate::bridges::Bridges;

/// The records of a run, each kind in the order of its place. What was recorded after sealing is not among them.
pub(super) async fn sealed_records(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<Vec<Record>, StoreError> {
    let mut records = stored_records(store, tenant, run).await?;
    if let Some(sealed) = sealed_counts(store, tenant, run).await? {
        records.retain(|record| !is_late(record, &sealed));
    }
    records.extend(Bridges::over(store, tenant).logs.steps_of_run(run.id).await?.into_iter().map(step));
    in_order(&mut records);
    Ok(records)
}

/// The records that came after the run was sealed, likewise.
pub(super) async fn late_records(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
) -> Result<Vec<Record>, StoreError> {
    let Some(sealed) = sealed_counts(store, tenant, run).await? else { return Ok(Vec::new()) };
    let mut records = stored_records(store, tenant, run).await?;
    records.retain(|record| is_late(record, &sealed));
    let first = sealed.get(&RecordKind::Step).copied().unwrap_or(0);
    records.extend(store.traces().late_steps(tenant, run.id, first).await?.into_iter().map(step));
    in_order(&mut records);
    Ok(records)
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

fn step(row: StepRow) -> Record {
    Record::Step(row.record)
}

/// All records but the steps, whenever they came.
async fn stored_records(store: &ReadTx, tenant: TenantId, run: &Run) -> Result<Vec<Record>, StoreError> {
    let id = run.id;
    let Bridges { activity, incidents, logs, policies } = Bridges::over(store, tenant);
    let evidence = logs.evidence_of_run(id).await?;
    let mut records = Vec::new();
    records.extend(evidence.activities.into_iter().map(Record::Activity));
    records.extend(policies.breaches_of_run(id).await?.into_iter().map(Record::Breach));
    records.extend(evidence.capture_failures.into_iter().map(Record::CaptureFailure));
    records.extend(policies.decisions_of_run(id).await?.into_iter().map(Record::Decision));
    let enforcements = policies.enforcements_of_run(id).await?;
    records.extend(enforcements.into_iter().filter(|record| record.seq.is_some()).map(Record::Enforcement));
    records.extend(evidence.environment.map(Record::Environment));
    let of_run = incidents.incidents_of_run(id).await?;
    records.extend(of_run.iter().filter_map(RunIncident::record).map(Record::Incident));
    records.extend(evidence.gaps.into_iter().map(Record::Gap));
    records.extend(evidence.integrity.map(Record::Integrity));
    let met = activity.interventions_of_run(id).await?;
    records.extend(met.into_iter().map(Record::Intervention));
    let preventions = policies.prevention_records_of_run(id).await?;
    records.extend(preventions.into_iter().filter(|record| record.seq.is_some()).map(Record::Prevention));
    records.extend(evidence.providers.into_iter().map(Record::Provider));
    records.extend(run_record(run).map(Record::Run));
    Ok(records)
}

fn in_order(records: &mut [Record]) {
    let place = |record: &Record| -> (RecordKind, Option<u64>) { (record.kind(), record.position()) };
    if !records.is_sorted_by_key(place) {
        records.sort_by_key(place);
    }
}
