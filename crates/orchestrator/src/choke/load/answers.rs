//! What repeats of earlier calls are answered with.

use std::{collections::BTreeSet, sync::Arc};

use drivers::{StoreError, Tx};
use models::ids::{DecisionId, RunId};
use proof::tagged::Hashed;

use super::touched::Touched;
use crate::choke::{
    prepare::Call,
    state::{KnownStep, State, traced},
};

/// Answers that calls with the same keys got before.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    touched: &Touched,
    calls: &[&[Call]],
) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    let mut decisions: BTreeSet<DecisionId> = BTreeSet::new();
    if !touched.keys.is_empty() {
        load_steps(state, tx, &touched.keys, &mut decisions).await?;
        let contested = traced::contested(state, calls.iter().copied().flatten());
        if !contested.is_empty() {
            load_steps(state, tx, &contested, &mut decisions).await?;
        }
        for permit in tx.policies().find_permits_by_keys(tenant, &touched.keys).await? {
            decisions.insert(permit.decision_id);
            state
                .permit_keys
                .extend(permit.idempotency_key.clone().map(|key| ((permit.run_id, key), permit)));
        }
    }
    let restarted: Vec<RunId> = state.run_keys.values().copied().collect();
    if !restarted.is_empty() {
        for decision in tx.policies().start_decisions(tenant, &restarted).await? {
            state
                .decisions
                .extend(decision.decision_id.parse().ok().map(|id| (id, Arc::new(Hashed::new(decision)))));
        }
    }
    if !decisions.is_empty() {
        let ids: Vec<_> = decisions.into_iter().collect();
        for decision in tx.policies().find_decisions(tenant, &ids).await? {
            state
                .decisions
                .extend(decision.decision_id.parse().ok().map(|id| (id, Arc::new(Hashed::new(decision)))));
        }
    }
    Ok(())
}

/// The steps that have these keys, and the ids of their decisions.
async fn load_steps(
    state: &mut State,
    tx: &Tx,
    keys: &[(RunId, String)],
    decisions: &mut BTreeSet<DecisionId>,
) -> Result<(), StoreError> {
    for step in tx.traces().find_steps_by_keys(state.tenant.id, keys).await? {
        let (Ok(run), Some(key)) = (step.record.run_id.parse(), step.record.idempotency_key.clone()) else {
            continue;
        };
        decisions.extend(step.record.decision_id.as_deref().and_then(|id| id.parse::<DecisionId>().ok()));
        state.step_keys.insert((run, key), KnownStep::of(&step.record, step.step_hash));
    }
    Ok(())
}
