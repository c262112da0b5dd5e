//! What repeats of earlier calls are answered with.

use std::{collections::BTreeSet, sync::Arc};

use drivers::{
    StoreError, Tx,
    logs::{JudgedStep, StepsUnder},
};
use models::{
    ids::{DecisionId, RunId},
    logs::StepKey,
};
use proof::{records::DecisionRecord, tagged::Hashed};

use super::touched::Touched;
use crate::{
    choke::{
        prepare::Call,
        state::{
            KnownStep, State,
            kept_keys::{self, may_be_taken},
            keys::Keys,
            traced,
        },
    },
    consequences::found::of_row,
};

/// Answers that calls with the same keys got before.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    touched: &Touched,
    calls: &[&[Call]],
) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    let mut decisions: BTreeSet<(RunId, DecisionId)> = BTreeSet::new();
    load_keys(state, tx, touched).await?;
    let keys: Vec<_> = touched.keys.iter().filter(|key| may_be_taken(state, key)).cloned().collect();
    if !keys.is_empty() {
        load_steps(state, tx, &keys).await?;
        let contested = traced::contested(state, calls.iter().copied().flatten());
        if !contested.is_empty() {
            load_steps(state, tx, &contested).await?;
        }
        for permit in tx.policies().find_permits_by_keys(tenant, &given(&keys)).await? {
            decisions.insert((permit.run_id, permit.decision_id));
            state
                .permit_keys
                .extend(permit.idempotency_key.clone().map(|key| ((permit.run_id, key), permit)));
        }
    }
    let restarted: Vec<RunId> = state.run_keys.values().copied().collect();
    if !restarted.is_empty() {
        for decision in tx.traces().start_decisions(tenant, &restarted).await? {
            know(state, decision);
        }
    }
    if !decisions.is_empty() {
        let ids: Vec<_> = decisions.into_iter().collect();
        for decision in tx.traces().find_decisions(tenant, &ids).await? {
            know(state, decision);
        }
    }
    Ok(())
}

/// All keys of the runs that calls come to with a key, where they are not known and not many: who comes for the first
/// time, now and as long as the run is remembered, is looked for no further.
async fn load_keys(state: &mut State, tx: &Tx, touched: &Touched) -> Result<(), StoreError> {
    let runs = kept_keys::to_read(state, touched.keys.iter().map(|(run, _)| *run).collect());
    if runs.is_empty() {
        return Ok(());
    }
    let mut stored = tx.traces().all_keys_of(state.tenant.id, &runs).await?;
    for run in runs {
        let keys = stored.remove(&run).transpose()?;
        state.keys.insert(run, Keys::stored(keys.unwrap_or_default()));
    }
    Ok(())
}

/// The steps that have these keys, and their decisions. Of one that cannot be read any more an incident is opened.
async fn load_steps(state: &mut State, tx: &Tx, keys: &[(RunId, StepKey)]) -> Result<(), StoreError> {
    let StepsUnder { found, lost } = tx.traces().find_steps_by_keys(state.tenant.id, keys).await?;
    for lost in lost {
        let found = of_row(Some(lost.run), lost.table, lost.row.clone(), lost.why.clone());
        state.spine.choke().snapshots.still_untold(state.tenant.id, vec![found]);
        state.lost.insert((lost.run, lost.key.clone()), lost);
    }
    for JudgedStep { step, decision, .. } in found {
        let (Ok(run), Some(key)) = (step.record.run_id.parse(), StepKey::of(&step.record)) else {
            continue;
        };
        state.step_keys.insert((run, key), KnownStep::of(&step.record, step.step_hash));
        if let Some(decision) = decision {
            know(state, decision);
        }
    }
    Ok(())
}

/// Those of the keys that their callers gave: no span asks for a permit.
fn given(keys: &[(RunId, StepKey)]) -> Vec<(RunId, String)> {
    let given = |(run, key): &(RunId, StepKey)| match key {
        StepKey::Given(key) => Some((*run, key.clone())),
        StepKey::Span(_) => None,
    };
    keys.iter().filter_map(given).collect()
}

fn know(state: &mut State, decision: DecisionRecord) {
    let id = decision.decision_id.parse().ok();
    state.decisions.extend(id.map(|id| (id, Arc::new(Hashed::new(decision)))));
}
