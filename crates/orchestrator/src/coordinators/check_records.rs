//! Reads the records of a run again and says whether they are what was recorded.

use drivers::{ReadTx, StoreError, logs::LookedAtTexts};
use models::{
    activity::{Run, RunState},
    ids::{RunId, TenantId},
};
use proof::{
    leaves::RunLeaf,
    records::{Record, RecordKind},
    run_ranges::RunRanges,
};

use super::{
    beside::Beside,
    run_proof::{chain, verify, with_late},
    sealed_records::{RecordsOfRun, records_of_run},
    texts,
};
use crate::consequences::found::{Found, of_contents, of_corrupt, of_row, of_sealed, of_segments};

/// Recomputes a run, sealed or open, from its stored records. Nothing where it is as it was recorded, or gone.
pub(crate) async fn check_run(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Vec<Found>, StoreError> {
    match faults(store, tenant, id).await {
        Ok(found) => Ok(found),
        Err(err) => Ok(vec![of_corrupt(Some(id), err)?]),
    }
}

async fn faults(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Vec<Found>, StoreError> {
    let Some(run) = store.activity().find_run(tenant, id).await? else { return Ok(Vec::new()) };
    let read = records_of_run(store, tenant, &run).await?;
    let texts = store.traces().look_at_texts(tenant, id, &read.named, &read.missing).await?;
    let mut found = of_segments(id, &read.missing);
    found.extend(of_contents(id, &texts.missing));
    let mut keys = store.traces().keys_of_run(tenant, id).await?;
    for step in read.sealed.iter().chain(&read.late) {
        if let Record::Step(step) = step {
            keys.meet(step);
        }
    }
    let wrong = keys.wrong(&read.missing).into_iter();
    found.extend(wrong.map(|why| of_row(Some(id), "step_keys", id.to_string(), why)));
    if read.missing.is_empty() {
        // Where a segment is missing, nothing that is made of all of them can be right.
        found.extend(why_not(store, tenant, &run, read, &texts).await?.map(|why| of_sealed(id, why)));
    }
    Ok(found)
}

async fn why_not(
    store: &ReadTx,
    tenant: TenantId,
    run: &Run,
    read: RecordsOfRun,
    texts: &LookedAtTexts,
) -> Result<Option<String>, StoreError> {
    let id = run.id;
    let leaves = store.ledger().run_leaves(tenant, id).await?;
    let RecordsOfRun { sealed: records, late, step_hashes, .. } = read;
    if let Some(why) = texts::contradiction(&leaves, texts) {
        return Ok(Some(why));
    }
    let beside = Beside::read(store, tenant, id).await?;
    if run.state == RunState::Completed {
        let sealed = verify(run, &leaves, &step_hashes, &records);
        return Ok(with_late(sealed, run, &leaves, (&records, &late), &beside).failure_reason);
    }
    let Some(opened) = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Opened(_))) else {
        return Ok(Some("the run log has no OPENED leaf of this run".to_owned()));
    };
    let Some(trace) = store.traces().trace_of_run(tenant, id).await? else {
        return Ok(Some("its trace is gone".to_owned()));
    };
    let head = match chain(opened.leaf_hash, &step_hashes, &records) {
        Ok(head) => head,
        Err(why) => return Ok(Some(why)),
    };
    let mut ranges = RunRanges::default();
    for record in &records {
        ranges.push(record);
    }
    let differs = |kind: &&RecordKind| ranges.kind(**kind) != trace.ranges.kind(**kind);
    Ok(if opened.leaf.hash() != opened.leaf_hash {
        Some(format!("leaf {} of the run log does not match its hash", opened.leaf_index))
    } else if head != trace.chain_head {
        Some("its last step is not the one that its trace names".to_owned())
    } else {
        RecordKind::ALL
            .iter()
            .find(differs)
            .map(|kind| format!("{kind}: what is stored is not what its trace has hashed"))
            .or_else(|| beside.check(run, &leaves, &records, &[]).err())
    })
}
