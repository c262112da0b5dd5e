//! Reads the records of a run again and says whether they are what was recorded.

use drivers::{ReadTx, StoreError};
use models::{
    activity::{Run, RunState},
    ids::{RunId, TenantId},
    ledger::RunLogEntry,
    logs::StepRow,
};

use super::{
    recomputed::{Recomputed, put_off, recompute},
    sealed_records::Came,
    texts,
};
use crate::consequences::found::{Found, of_contents, of_corrupt, of_row, of_sealed, of_segments};

/// Recomputes a run, sealed or open, from its stored records, a page of them at a time. Nothing where it is as it was
/// recorded, or gone.
pub(crate) async fn check_run(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Vec<Found>, StoreError> {
    match faults(store, tenant, id).await {
        Ok(found) => Ok(found),
        Err(err) => Ok(vec![of_corrupt(Some(id), err)?]),
    }
}

async fn faults(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Vec<Found>, StoreError> {
    let Some(run) = store.activity().find_run(tenant, id).await? else { return Ok(Vec::new()) };
    let (leaves, unread) = match put_off(store.ledger().run_leaves(tenant, id).await)? {
        Ok(leaves) => (leaves, None),
        Err(err) => (Vec::new(), Some(err)),
    };
    let mut keys = store.traces().keys_of_run(tenant, id).await?;
    let mut meet = |step: StepRow, _: Came| keys.meet(&step.record);
    let of_run = Box::pin(recompute(store, &run, &leaves, &mut meet)).await?;
    let mut found = of_segments(id, &of_run.missing);
    found.extend(of_contents(id, &of_run.texts.missing));
    let wrong = keys.wrong(&of_run.missing).into_iter();
    found.extend(wrong.map(|why| of_row(Some(id), "step_keys", id.to_string(), why)));
    if of_run.missing.is_empty() {
        // Where a segment is missing, nothing that is made of all of them can be right.
        if let Some(err) = unread {
            return Err(err);
        }
        found.extend(why_not(store, &run, &leaves, of_run).await?.map(|why| of_sealed(id, why)));
    }
    Ok(found)
}

async fn why_not(
    store: &ReadTx,
    run: &Run,
    leaves: &[RunLogEntry],
    of_run: Recomputed<'_>,
) -> Result<Option<String>, StoreError> {
    let Recomputed { records, beside, texts, .. } = of_run;
    if let Some(why) = texts::contradiction(leaves, &texts) {
        return Ok(Some(why));
    }
    let beside = beside?;
    let own = if run.state == RunState::Completed {
        records.as_sealed(run)
    } else {
        let trace = store.traces().trace_of_run(run.tenant, run.id).await?;
        records.as_hashed_by(trace.as_ref())
    };
    Ok(own.and_then(|()| beside.check(leaves)).err())
}
