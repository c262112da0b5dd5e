//! What comes to a run after it was sealed: an addendum, which is a trace of its own with a leaf of its own.
//!
//! The receipt stays what it is. Late records go on counting where the sealed ones end, late steps are chained to the
//! SEALED leaf, and each group that brings some is sealed at once by an ADDENDUM leaf over all that came late so far.

use chrono::{DateTime, Utc};
use models::{
    activity::{EvidenceHealth, Late},
    ids::RunId,
};
use proof::{
    leaves::{AddendumLeaf, RunLeaf},
    records::RecordKind,
    words::{Assurance, TraceStatus},
};

use crate::{
    choke::state::{RunState, State, standing::refresh},
    errors::Error,
};

/// Seals the addenda that the group has made.
pub(in crate::choke) fn seal(state: &mut State) -> Result<(), Error> {
    let made = state.runs.values().filter(|run| run.changed && run.late.is_some());
    let mut made: Vec<RunId> = made.map(|run| run.run.id).collect();
    made.sort_unstable();
    let now = state.now;
    for id in made {
        let run = state.run_mut(id)?;
        let Some(sealed_leaf) = run.late.as_ref().map(|late| late.sealed_leaf) else { continue };
        let ranges = &run.trace.ranges;
        let root_hash = ranges.kind(RecordKind::Step).root();
        let leaf = AddendumLeaf {
            tenant_id: run.run.tenant.to_string(),
            run_id: id.to_string(),
            trace_id: run.trace.id.to_string(),
            addendum_of: run.run.trace_id.to_string(),
            number: run.run.late.as_ref().map_or(0, |late| late.addenda),
            sealed_leaf: sealed_leaf.to_string(),
            root_hash: root_hash.to_string(),
            chain_head: run.trace.chain_head.to_string(),
            records_root: ranges.records_root().to_string(),
            record_counts: ranges.counts(),
            added_at: models::time::text(now),
        };
        let gap = ranges.next(RecordKind::Gap) > 0;
        run.trace.status = TraceStatus::Completed;
        run.trace.root_hash = Some(root_hash);
        run.trace.completed_at = Some(now);
        // A late permit counts no step, and is late all the same.
        let late = run.run.late.get_or_insert_with(Late::default);
        late.addenda += 1;
        late.trace_id = run.trace.id.to_string();
        if gap {
            lower(run, now);
        }
        state.new.leaves.push((id, RunLeaf::Addendum(leaf)));
    }
    Ok(())
}

/// What a gap costs a run, however late it comes. The receipt goes on saying what held when it was made.
fn lower(run: &mut RunState, now: DateTime<Utc>) {
    let late = run.run.late.get_or_insert_with(Late::default);
    if run.run.assurance != Assurance::Reported {
        late.sealed_assurance = Some(run.run.assurance);
        run.run.assurance = Assurance::Reported;
    }
    run.run.evidence_health = run.run.evidence_health.max(EvidenceHealth::Degraded);
    refresh(run, now);
}
