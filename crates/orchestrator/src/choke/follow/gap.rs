//! The record that a call was answered while the store was down.

use models::ids::{GapId, PermitId, RunId};
use proof::{
    records::{GapRecord, RecordKind},
    tagged::Hashed,
    words::Assurance,
};

use crate::{
    choke::{judge::Judged, state::State},
    errors::Error,
};

/// Records that what was decided now was told long before it was recorded.
pub(in crate::choke) fn record(
    state: &mut State,
    run_id: RunId,
    judged: &Judged,
    step_index: Option<u64>,
    permit_id: Option<PermitId>,
) -> Result<(), Error> {
    let gap_id: GapId = state.id();
    let recorded_at = models::time::text(state.now);
    let run = state.run_mut(run_id)?;
    let gap = Hashed::new(GapRecord {
        tenant_id: run.run.tenant.to_string(),
        run_id: run_id.to_string(),
        gap_id: gap_id.to_string(),
        seq: run.next_seq(RecordKind::Gap),
        decision_id: judged.decision_id.to_string(),
        step_index,
        permit_id: permit_id.map(|id| id.to_string()),
        answered_at: models::time::text(judged.decided_at),
        recorded_at,
    });
    if run.late.is_none() {
        // ENFORCED says that there is no gap, and RECORDED that all was decided first (spec 4). An addendum says it
        // itself.
        run.run.assurance = Assurance::Reported;
    }
    run.trace.ranges.push_hashed(&gap);
    state.new.gaps.push(gap);
    Ok(())
}
