//! What a call must pass before it is decided: its run exists for the caller and takes steps, and the call is no
//! repeat.

use drivers::{StoreError, logs::RunSalt};
use models::{
    activity::RunState as LifeState,
    ids::RunId,
    logs::StepKey,
    policies::{Permit, PermitStatus},
};
use proof::words::{Action, RunStatus};

use crate::{
    choke::{
        call::{Answer, Done, EndRun, Granted, Recorded},
        prepare::Caller,
        state::{KnownStep, State},
    },
    errors::{Error, StepEnforcementError},
    verdict::VerdictView,
};

/// Refuses a run that does not exist for the caller.
pub(in crate::choke) fn known(state: &State, caller: &Caller, id: RunId) -> Result<(), Error> {
    let run = state.runs.get(&id).filter(|run| caller.sees(run.run.key_id));
    run.map(|_| ()).ok_or_else(|| Error::not_found("run", id))
}

/// Refuses a run that takes no steps.
pub(in crate::choke) fn running(state: &State, id: RunId) -> Result<(), Error> {
    let run = &state.runs.get(&id).ok_or_else(|| Error::not_found("run", id))?.run;
    if run.halt_action == Some(Action::Kill) {
        return Err(Error::RunKilled { run_id: id });
    }
    if run.status == RunStatus::Running && run.state == LifeState::Live {
        return Ok(());
    }
    let reason = match (run.halt_action, run.termination_reason) {
        (Some(action), Some(reason)) => format!("{action} ended it ({reason})"),
        (_, Some(reason)) => format!("it has ended ({reason})"),
        _ => "it has ended".to_owned(),
    };
    Err(Error::RunNotRunning { run_id: id, status: run.status, reason })
}

/// The stored answer to a repeated call; `None` where its key is new, a conflict where it was another request's.
pub(in crate::choke) fn repeated(
    state: &State,
    run_id: RunId,
    key: Option<&String>,
    request_hash: proof::hash::Hash,
) -> Result<Option<Answer>, Error> {
    let Some(key) = key else { return Ok(None) };
    let place = (run_id, StepKey::Given(key.clone()));
    state.readable(&place)?;
    if let Some(step) = state.step_keys.get(&place) {
        if !step.is_of(request_hash) && !is_erased(state, run_id) {
            return Err(Error::IdempotencyConflict { key: key.clone() });
        }
        return Ok(Some(answer_of_step(state, run_id, step)));
    }
    if let Some(permit) = state.permit_keys.get(&(run_id, key.clone())) {
        if permit.request_hash != request_hash && !is_erased(state, run_id) {
            return Err(Error::IdempotencyConflict { key: key.clone() });
        }
        return Ok(Some(answer_of_permit(state, permit)));
    }
    Ok(None)
}

/// Whether the run's texts were erased. Its keys are answered without comparing: whether a request has the same texts
/// is nobody's to find out any more.
fn is_erased(state: &State, run_id: RunId) -> bool {
    matches!(state.salts.get(&run_id), Some(RunSalt::Erased { .. }))
}

fn answer_of_step(state: &State, run_id: RunId, step: &KnownStep) -> Answer {
    let verdict = verdict_of(state, step.decision_id.as_deref().unwrap_or_default())?;
    let run: proof::records::RunAfter = serde_json::from_str(&step.run_after).map_err(|err| {
        unreadable("run_segments", format!("{run_id}, step {}", step.step_index), err.to_string())
    })?;
    if step.status == proof::words::StepStatus::Refused {
        return Err(Error::StepHalted(Box::new(StepEnforcementError {
            run_id,
            step_index: Some(step.step_index),
            run_status: run.status,
            recorded: true,
            verdict,
        })));
    }
    let recorded = Recorded {
        run_id,
        step_index: step.step_index,
        step_hash: Some(step.step_hash),
        recorded: true,
        verdict,
        run,
    };
    Ok(Done::Recorded(Box::new(recorded)))
}

fn answer_of_permit(state: &State, permit: &Permit) -> Answer {
    let verdict = verdict_of(state, &permit.decision_id.to_string())?;
    Ok(Done::Granted(Box::new(Granted {
        permit_id: permit.id,
        expires_at: permit.expires_at,
        recorded: true,
        verdict,
    })))
}

fn verdict_of(state: &State, decision_id: &str) -> Result<VerdictView, Error> {
    let decision = decision_id.parse().ok().and_then(|id| state.decisions.get(&id));
    let missing = || "the decision of a stored answer is missing".to_owned();
    let unreadable = |why| unreadable("run_segments", decision_id.to_owned(), why);
    VerdictView::of(decision.ok_or_else(|| unreadable(missing()))?).map_err(|err| unreadable(err.to_string()))
}

/// A stored answer that does not read back. It was read before the call changed anything: what else its group decided
/// stands. A call that meets something impossible later says [`Error::HalfDone`], and its whole group is rolled back.
pub(in crate::choke) fn unreadable(table: &'static str, row: String, why: String) -> Error {
    Error::from(StoreError::Corrupt { table, row, why })
}

/// Whether a permit can still serve.
pub(in crate::choke) fn serves(permit: &Permit, now: chrono::DateTime<chrono::Utc>) -> bool {
    permit.status == PermitStatus::Granted && permit.expires_at > now
}

/// Ends that the sweeper asks for are not anybody's call.
pub(in crate::choke) fn by_sweeper(how: &EndRun) -> bool {
    matches!(how, EndRun::Abandoned | EndRun::StopElapsed)
}
