//! Where this replica knows all keys of a run, nothing was recorded under another, and the store is not asked.
//!
//! It knows them of a run that began here and that nobody else has written since: the run's version says so.

use std::collections::HashMap;

use models::{ids::RunId, logs::StepKey};

use super::{State, held::Write, keys::Keys};

/// Whether something may have been recorded under that key.
pub(in crate::choke) fn may_be_taken(state: &State, (run, key): &(RunId, StepKey)) -> bool {
    state.keys.get(run).is_none_or(|keys| keys.has(key))
}

/// The keys of the runs of which all are known, as a committed group leaves them: with those of all that it has
/// written.
pub(in crate::choke) fn left(state: &mut State) -> HashMap<RunId, Keys> {
    let mut known = std::mem::take(&mut state.keys);
    for run in state.runs.values().filter(|run| run.is_new) {
        known.entry(run.run.id).or_default();
    }
    for (step, _) in &state.new.steps {
        let (Ok(run), Some(key)) = (step.run_id.parse::<RunId>(), StepKey::of(step)) else { continue };
        if let Some(keys) = known.get_mut(&run) {
            keys.add(key);
        }
    }
    for permit in state.permits.values().filter(|permit| permit.to_write() == Write::New) {
        let permit = permit.row();
        if let (Some(key), Some(keys)) = (&permit.idempotency_key, known.get_mut(&permit.run_id)) {
            keys.add(StepKey::Given(key.clone()));
        }
    }
    known.retain(|_, keys| !keys.are_too_many());
    known
}
