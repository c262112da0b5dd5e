//! Where this replica knows all keys of a run, nothing was recorded under another, and the store is not asked.
//!
//! It knows them of a run that began here, and of one that has few records, which are read once; and it goes on to know
//! them for as long as nobody else writes the run: the run's version says so.

use std::collections::{BTreeSet, HashMap};

use models::{activity::RunState as LifeState, ids::RunId, logs::StepKey};
use proof::records::RecordKind;

use super::{State, held::Write, keys::Keys};

/// Of a run with so many decisions, and so with no more keys, all of them are read where one is to be looked for. That
/// costs what looking for it does, or less, also where the run is written by several replicas in turn and it is for one
/// call alone.
const FEW: u64 = 256;

/// So many are read for a group at most, of however many runs.
const AT_ONCE: u64 = 16 * FEW;

/// Whether something may have been recorded under that key.
pub(in crate::choke) fn may_be_taken(state: &State, (run, key): &(RunId, StepKey)) -> bool {
    state.keys.get(run).is_none_or(|keys| keys.has(key))
}

/// The runs among those that are `asked` of which all keys are to be read: of those that are not known, as many as have
/// few. Whatever has a key has a decision. Of a run that takes no steps little is asked.
pub(in crate::choke) fn to_read(state: &State, asked: BTreeSet<RunId>) -> Vec<RunId> {
    let mut room = AT_ONCE;
    let is_read = |run: &RunId| {
        let run = state.runs.get(run).filter(|_| !state.keys.contains_key(run));
        let lives = run.filter(|run| run.late.is_none() && run.run.state == LifeState::Live);
        let decisions = lives.map(|run| run.next_seq(RecordKind::Decision));
        let fits = decisions.filter(|count| *count <= FEW.min(room));
        room -= fits.unwrap_or(0);
        fits.is_some()
    };
    asked.into_iter().filter(is_read).collect()
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
            keys.add(&key);
        }
    }
    for permit in state.permits.values().filter(|permit| permit.to_write() == Write::New) {
        let permit = permit.row();
        if let (Some(key), Some(keys)) = (&permit.idempotency_key, known.get_mut(&permit.run_id)) {
            keys.add(&StepKey::Given(key.clone()));
        }
    }
    known.retain(|_, keys| !keys.are_too_many());
    known
}
