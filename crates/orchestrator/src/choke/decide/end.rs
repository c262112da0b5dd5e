//! The end of a run: by its agent, or by the sweeper when nobody ends it.

use models::{activity::RunState as LifeState, ids::RunId};
use proof::words::{Action, RunStatus, TerminationReason};

use super::gates::{by_sweeper, known};
use crate::{
    choke::{
        call::{Answer, Done, EndRun},
        prepare::Caller,
        state::{Ending, State, traced},
    },
    clock_check,
    errors::Error,
};

pub(in crate::choke) fn end(state: &mut State, caller: &Caller, run_id: RunId, how: &EndRun) -> Answer {
    if !by_sweeper(how) {
        known(state, caller, run_id)?;
    }
    let run = state.run(run_id)?;
    if run.run.halt_action == Some(Action::Kill) {
        return Err(Error::RunKilled { run_id });
    }
    if let Some(reason) = not_due(state, run_id, how)? {
        return Err(Error::RunNotRunning { run_id, status: run.run.status, reason });
    }
    let traced = traced::ending(run).filter(|_| *how == EndRun::StopElapsed && run.run.halt_action.is_none());
    let asked = traced.unwrap_or_else(|| asked(how, run.run.halt_action.is_some()));
    if run.run.state == LifeState::Completed || run.ending.is_some() {
        let stands = run.ending.as_ref().map_or(run.run.status, |ending| ending.status);
        return if stands == asked.status && !by_sweeper(how) {
            Ok(Done::Ended(Box::new(run.run.clone())))
        } else {
            let reason = format!("it has ended already, as {stands}");
            Err(Error::RunNotRunning { run_id, status: stands, reason })
        };
    }
    let ending = if run.run.status == RunStatus::Halted && asked.status == RunStatus::Halted {
        Ending { reason: run.run.termination_reason.unwrap_or(TerminationReason::PolicyBlock), ..asked }
    } else {
        asked
    };
    let run = state.run_mut(run_id)?;
    run.run.status = ending.status;
    run.ending = Some(ending);
    // The seal, after all calls of the group are decided, completes this answer.
    Ok(Done::Ended(Box::new(run.run.clone())))
}

/// Why the sweeper must leave a run alone after all: its agent was heard of since it was found due, or the time by
/// which nobody was heard of cannot be relied on.
fn not_due(state: &State, run_id: RunId, how: &EndRun) -> Result<Option<String>, Error> {
    let run = &state.run(run_id)?.run;
    let may_give_up = clock_check::may_give_up(&state.spine);
    let due = match how {
        EndRun::Abandoned => {
            may_give_up && run.last_seen_at + state.spine.settings().run_abandon_after <= state.now
        }
        EndRun::StopElapsed => {
            // A trace that has told no end is given up when its time has come.
            let ends = run.halt_action.is_some() || run.reported_end.is_some();
            (may_give_up || ends) && run.seal_due_at.is_some_and(|at| at <= state.now)
        }
        EndRun::Succeeded | EndRun::Failed { .. } | EndRun::Abort { .. } => true,
    };
    Ok((!due).then(|| "it is not due to be ended".to_owned()))
}

/// What the run becomes. A stopped run stays HALTED when its agent completes it: it was halted.
fn asked(how: &EndRun, stopped: bool) -> Ending {
    let ending = |status, reason, error: &Option<String>| Ending { status, reason, error: error.clone() };
    match how {
        EndRun::Abort { reason } => ending(RunStatus::Aborted, TerminationReason::UserAbort, reason),
        EndRun::Succeeded | EndRun::Failed { .. } | EndRun::StopElapsed if stopped => {
            ending(RunStatus::Halted, TerminationReason::PolicyBlock, &None)
        }
        EndRun::Succeeded => ending(RunStatus::Succeeded, TerminationReason::Completed, &None),
        EndRun::Failed { error } => ending(RunStatus::Failed, TerminationReason::SystemFailure, error),
        // Or a trace that its opener sent no root of, however long others have gone on telling of it.
        EndRun::Abandoned | EndRun::StopElapsed => {
            ending(RunStatus::Aborted, TerminationReason::Abandoned, &None)
        }
    }
}
