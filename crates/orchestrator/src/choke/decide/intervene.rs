//! What people do to runs: a kill ends one at once; a freeze refuses whatever its target does next, and lets no run of
//! it begin. Each run that meets one has a record of it, under its receipt; what its agent came to know is an ack.

use models::{
    activity::{Ack, AckVia, Freeze, Intervention, InterventionOutcome, RunState as LifeState},
    ids::{InterventionId, RunId},
};
use proof::{
    records::InterventionRecord,
    words::{Action, InterventionKind, InterventionTarget, RunStatus, TerminationReason},
};

use super::gates::known;
use crate::{
    choke::{
        call::{Answer, Done, Killed},
        judge::{self, Question},
        prepare::{Caller, PreparedKill},
        state::{Ending, State, met::met, standing::refresh},
    },
    errors::{ConflictCode, Error},
};

/// A kill by a person. It ends the run in this transaction; that its agent knows is for its next call to show.
pub(in crate::choke) fn kill(
    state: &mut State,
    caller: &Caller,
    run_id: RunId,
    asked: &PreparedKill,
) -> Answer {
    known(state, caller, run_id)?;
    let now = state.now;
    let id: InterventionId = state.id();
    let run = state.run(run_id)?;
    let ended = run.run.state == LifeState::Completed || run.ending.is_some();
    let mut intervention = Intervention {
        tenant: state.tenant.id,
        id,
        kind: InterventionKind::Kill,
        target_type: InterventionTarget::Run,
        target_id: Some(run_id.to_string()),
        actor_type: asked.actor_type,
        actor_id: Some(asked.actor_id.clone()),
        reason: asked.reason.clone(),
        requested_at: now,
        outcome: InterventionOutcome::Ended,
        effective_at: None,
        lifts: None,
    };
    if !ended {
        intervention.outcome = InterventionOutcome::Unacked;
        intervention.effective_at = Some(now);
        end_now(state, run_id, &intervention)?;
    }
    state.new.interventions.push(intervention.clone());
    let run = state.run(run_id)?.run.clone();
    Ok(Done::Killed(Box::new(Killed { intervention, run })))
}

fn end_now(state: &mut State, run_id: RunId, kill: &Intervention) -> Result<(), Error> {
    let now = state.now;
    let record = InterventionRecord {
        tenant_id: kill.tenant.to_string(),
        run_id: run_id.to_string(),
        intervention_id: kill.id.to_string(),
        seq: 0,
        kind: kill.kind,
        target_type: kill.target_type,
        target_id: kill.target_id.clone(),
        actor_type: kill.actor_type,
        actor_id: kill.actor_id.clone(),
        reason: kill.reason.clone(),
        requested_at: models::time::text(kill.requested_at),
        decision_hash: String::new(),
        effective_at: models::time::text(now),
    };
    let judged = judge::judge(state, run_id, &Question::intervention(&record.intervened()))?;
    met(state, run_id, record, judged.verdict.hash())?;
    let run = state.run_mut(run_id)?;
    let (status, reason) = (RunStatus::Halted, TerminationReason::UserAbort);
    run.run.status = status;
    run.run.halt_action = Some(Action::Kill);
    run.run.termination_reason = Some(reason);
    run.ending = Some(Ending { status, reason, error: None });
    run.unacked_kill = Some(kill.id);
    refresh(run, now);
    Ok(())
}

/// What an answer tells the run's own agent for the first time: that its run was killed, or that it is frozen.
pub(in crate::choke) fn told(state: &mut State, caller: &Caller, run_id: Option<RunId>) {
    let Some(run) = run_id.and_then(|id| state.runs.get_mut(&id)) else { return };
    if !caller.opened(run.run.key_id) {
        return;
    }
    let killed = run.unacked_kill.take();
    let frozen = run.freeze.as_ref().map(|freeze| freeze.intervention_id);
    let frozen = frozen.filter(|id| run.met.contains(id) && !run.acked.contains(id));
    run.acked.extend(frozen);
    let run_id = run.run.id;
    for intervention_id in killed.into_iter().chain(frozen) {
        let (tenant, acked_at) = (state.tenant.id, state.now);
        state.new.acks.push(Ack { tenant, intervention_id, run_id, via: AckVia::Call, acked_at });
    }
}

/// Refuses a run that may not begin.
pub(in crate::choke) fn may_start(state: &State, agent_id: &str) -> Result<(), Error> {
    // Where both hold, that of all is told: lifting the agent's own would not let it begin.
    let of_all = state.freezes.iter().find(|freeze| freeze.target().1.is_none());
    let freeze = of_all.or_else(|| state.freeze_for(agent_id));
    freeze.map_or(Ok(()), |freeze| Err(frozen_by(freeze, "no run starts")))
}

/// That a freeze holds, and what does not happen until it is lifted.
pub(in crate::choke) fn frozen_by(freeze: &Freeze, stands_still: &str) -> Error {
    let (code, what) = match freeze.target() {
        (_, Some(agent)) => (ConflictCode::AgentFrozen, format!("agent `{agent}` is frozen")),
        _ => (ConflictCode::TenantFrozen, "all agents are frozen".to_owned()),
    };
    let by = freeze.actor_id.as_deref().unwrap_or("somebody");
    let why = freeze.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let since = models::time::text(freeze.requested_at);
    let detail = format!("{what} since {since} by {by}{why}; {stands_still} until the freeze is lifted");
    Error::Conflict { code, detail }
}
