//! Reads the records of a run again and says whether they are what was recorded.

use drivers::{ReadTx, StoreError};
use models::{
    activity::RunState,
    ids::{RunId, TenantId},
};
use proof::{leaves::RunLeaf, records::RecordKind, run_ranges::RunRanges};

use super::{
    beside::Beside,
    run_proof::{chain, verify, with_late},
    sealed_records::{RecordsOfRun, records_of_run},
};
use crate::consequences::found::{Found, of_corrupt, of_sealed};

/// Recomputes a run, sealed or open, from its stored records. None where it is as it was recorded, or gone.
pub(crate) async fn check_run(
    store: &ReadTx,
    tenant: TenantId,
    id: RunId,
) -> Result<Option<Found>, StoreError> {
    match why_not(store, tenant, id).await {
        Ok(why) => Ok(why.map(|why| of_sealed(id, why))),
        Err(err) => of_corrupt(Some(id), err).map(Some),
    }
}

async fn why_not(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Option<String>, StoreError> {
    let Some(run) = store.activity().find_run(tenant, id).await? else { return Ok(None) };
    let leaves = store.ledger().run_leaves(tenant, id).await?;
    let RecordsOfRun { sealed: records, late, step_hashes } = records_of_run(store, tenant, &run).await?;
    let beside = Beside::read(store, tenant, id).await?;
    if run.state == RunState::Completed {
        let sealed = verify(&run, &leaves, &step_hashes, &records);
        return Ok(with_late(sealed, &run, &leaves, (&records, &late), &beside).failure_reason);
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
            .or_else(|| beside.check(&run, &leaves, &records, &[]).err())
    })
}
