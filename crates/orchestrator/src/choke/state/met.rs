//! What a run met of people's interventions, each among its records once.

use models::{
    activity::Freeze,
    ids::{InterventionId, RunId},
};
use proof::{
    hash::Hash,
    records::{InterventionRecord, RecordKind},
    words::InterventionKind,
};

use super::State;
use crate::errors::Error;

/// Puts the intervention among the run's records.
pub(in crate::choke) fn met(
    state: &mut State,
    run_id: RunId,
    record: InterventionRecord,
    decision_hash: Hash,
) -> Result<(), Error> {
    let run = state.run_mut(run_id)?;
    let seq = run.next_seq(RecordKind::Intervention);
    let record = InterventionRecord { seq, decision_hash: decision_hash.to_string(), ..record };
    run.met.extend(record.intervention_id.parse::<InterventionId>().ok());
    run.trace.ranges.push(&record);
    state.new.met.push(record);
    Ok(())
}

/// A decision met the freeze that holds for its run: the first one is what the run's record names.
pub(in crate::choke) fn met_freeze(
    state: &mut State,
    run_id: RunId,
    freeze: &Freeze,
    decision_hash: Hash,
) -> Result<(), Error> {
    if state.run(run_id)?.met.contains(&freeze.intervention_id) {
        return Ok(());
    }
    let (target_type, target_id) = freeze.target();
    let record = InterventionRecord {
        tenant_id: freeze.tenant.to_string(),
        run_id: run_id.to_string(),
        intervention_id: freeze.intervention_id.to_string(),
        seq: 0,
        kind: InterventionKind::Freeze,
        target_type,
        target_id,
        actor_type: freeze.actor_type,
        actor_id: freeze.actor_id.clone(),
        reason: freeze.reason.clone(),
        requested_at: models::time::text(freeze.requested_at),
        decision_hash: String::new(),
        effective_at: models::time::text(state.now),
    };
    met(state, run_id, record, decision_hash)
}
