//! When the store is down: a halt is still a halt, and nothing else is promised.
//!
//! While the store cannot be reached, a call is decided on what this replica remembers, by the same code as ever. What
//! is refused is refused, marked `recorded: false`; it stays in force here. What would be let through gets 503
//! (`fail_closed`: its record cannot be committed) or, in a `degrade` tenant, is let through, marked `recorded: false`:
//! a gap. Both are kept in the spool before they are told, and are written before anything else of their run when the
//! store is back.
//!
//! What other servers did to what is remembered here is looked for while the store answers; see [`look`].

mod ahead;
mod answers;
mod bounded;
mod doubt;
pub(super) mod governs;
mod hot;
mod left;
pub(super) mod look;
pub(super) mod memory;
pub(super) mod overdue;
mod remembered;
pub(super) mod spool;
pub(super) mod unwritten;
mod weight;
mod windows;

use std::{slice, sync::Arc};

use drivers::StoreError;
use models::{account::FailureMode, ids::RunId};

use self::unwritten::{Told, Unwritten};
use super::{
    call::Answer,
    decide::{self, gates, intervene},
    prepare::{Call, CallKind},
    state::State,
};
use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// Whether the store was not there, or did not say what became of a commit. What is held locked for so long that every
/// try has failed is not there either.
pub(super) fn is_outage(err: &StoreError) -> bool {
    err.is_unavailable() || err.is_retry() || err.is_locked() || matches!(err, StoreError::UnknownCommit(_))
}

/// Answers calls that no transaction could take: none after the first that is refused.
pub(super) async fn answers(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    calls: &[Call],
    err: &Arc<StoreError>,
) -> Vec<Option<Answer>> {
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(calls.len());
    for call in calls {
        let answer = match err.as_ref() {
            // Also a kill may not be in: that it was asked for is kept.
            StoreError::UnknownCommit(_) if !matches!(call.what, CallKind::Kill(..)) => {
                Err(Error::from_group(err))
            }
            _ => from_memory(spine, tenant, call, err).await,
        };
        let refused = answer.is_err();
        answers.push(Some(answer));
        if refused {
            break;
        }
    }
    answers.resize_with(calls.len(), || None);
    answers
}

async fn from_memory(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    call: &Call,
    err: &Arc<StoreError>,
) -> Answer {
    let unavailable = || Err(Error::from_group(err));
    let memory = &spine.choke().memory;
    let Some(run_id) = call.run_id() else { return unavailable() };
    if let Some(told) = memory.answers.told(tenant.id, call) {
        return told;
    }
    let mut state = State::new(spine, tenant);
    let Some(blind) = memory.recall(&mut state, call) else { return unavailable() };
    if matches!(call.what, CallKind::Kill(..)) {
        // Nobody can record it, so nobody is told that it is done; but the run gets no further here either.
        if is_outage(err) && gates::known(&state, &call.caller, run_id).is_ok() {
            memory.governs.asked_to_kill(state.began, tenant.id, run_id);
        }
        return unavailable();
    }
    if call.names_a_permit_of_none(&state) {
        // Another replica may have granted it: here nobody can say what it is, and so nothing is recorded of it. To a
        // run that takes no steps, or is frozen, it is nothing.
        let halted = gates::known(&state, &call.caller, run_id)
            .and_then(|()| gates::running(&state, run_id))
            .and_then(|()| not_frozen(&state, run_id));
        return match halted {
            Err(
                halted @ (Error::RunKilled { .. } | Error::RunNotRunning { .. } | Error::Conflict { .. }),
            ) => Err(halted),
            _ => unavailable(),
        };
    }
    let Some(answer) = decide::item(&mut state, slice::from_ref(call)).pop().flatten() else {
        return unavailable();
    };
    if let Err(known @ (Error::RunKilled { .. } | Error::RunNotRunning { .. })) = answer {
        return Err(known);
    }
    // Nobody may pass a limit of whose use nothing is known, or a store that is there and held back.
    let may_let_through = tenant.failure_mode == FailureMode::Degrade && is_outage(err) && !blind;
    let Some(told) = Told::unrecorded(answer, may_let_through) else { return unavailable() };
    let Some(unwritten) = Unwritten::of(&state, run_id, call, told.clone()) else { return unavailable() };
    let Ok(line) = spool::line(tenant.id, &unwritten) else { return unavailable() };
    let share = spine.choke().unwritten.share(Some(tenant.id));
    if !memory.answers.have_room(tenant.id) || share.take(unwritten.weight(line.len())).is_err() {
        return unavailable();
    }
    let spooled = spool::keep(spine, line).await;
    if !spooled && matches!(told, Told::LetThrough(_)) {
        return unavailable();
    }
    let counted = memory.counted(&state);
    let unwritten = Unwritten { spooled, counted, share: Some(Arc::new(share)), ..unwritten };
    memory.answers.keep(tenant.id, unwritten);
    memory.go_on(&state, run_id);
    told.again()
}

/// Refuses a run that a freeze holds for.
fn not_frozen(state: &State, run_id: RunId) -> Result<(), Error> {
    let freeze = state.runs.get(&run_id).and_then(|run| run.freeze.as_ref());
    freeze.map_or(Ok(()), |freeze| Err(intervene::frozen_by(freeze, "no step of it counts")))
}

impl Call {
    /// Whether it names a permit that is not among those that are known.
    fn names_a_permit_of_none(&self, state: &State) -> bool {
        let CallKind::Record(step) = &self.what else { return false };
        step.report.permit_id.is_some_and(|id| !state.permits.contains_key(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_store_does_not_put_degrade_tenants_on_memory() {
        assert!(is_outage(&StoreError::Unavailable("gone".into())));
        assert!(!is_outage(&StoreError::Busy("all connections are taken".into())));
    }
}
