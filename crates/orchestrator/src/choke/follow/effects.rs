//! What follows from a verdict beyond the step: enforcement and prevention rows, breaches, incidents, and the run's
//! own fate. All in the transaction of the verdict.

use engines::{
    incidents::{Cause, severity_of_limit},
    ledger::AuditLedgerService,
};
use models::ids::{BreachId, LimitId, RunId};
use proof::{
    records::{BreachRecord, RecordKind},
    words::{
        Action, ActorType, Consequence, HaltReason, IncidentCategory, LimitCategory, PolicyKind, RunStatus,
        TerminationReason,
    },
};
use rules::limits::{LimitOutcome, counts_cost};
use serde_json::json;

use super::{
    causes::{incident_of_rules, strike},
    fired::{fire, said},
};
use crate::{
    choke::{
        judge::Judged,
        prepare::Caller,
        state::{Ending, State, standing::refresh, strikes::StrikeId},
    },
    errors::{Error, half_done},
};

/// The status that a verdict gives the run, if it ends it.
pub(in crate::choke) fn status_after(judged: &Judged) -> Option<RunStatus> {
    match judged.verdict.action() {
        Action::Stop | Action::Kill => Some(RunStatus::Halted),
        Action::Abort => Some(RunStatus::Aborted),
        Action::Allow | Action::Warn | Action::Block => None,
    }
}

/// Applies everything that follows from a verdict on a step (or permit) of `run_id`.
pub(in crate::choke) fn apply(
    state: &mut State,
    caller: &Caller,
    run_id: RunId,
    judged: &Judged,
    step_index: Option<u64>,
) -> Result<(), Error> {
    let rule_incident = incident_of_rules(state, run_id, judged, step_index)?;
    for fired in &judged.conclusion.fired {
        let outcome = judged.limits.iter().find(|limit| limit.limit_id == fired.policy_id);
        let struck = match outcome {
            Some(limit) if fired.kind == PolicyKind::Limit => {
                breached(state, caller, run_id, judged, limit, step_index)?
            }
            _ => rule_incident.filter(|_| fired.action.refuses()),
        };
        fire(state, run_id, judged, fired, struck, step_index)?;
    }
    halt(state, run_id, judged)?;
    let near = judged.limits.iter().any(|limit| limit.standing > proof::words::LimitStanding::Ok);
    let now = state.now;
    let run = state.run_mut(run_id)?;
    run.near_limit |= near;
    refresh(run, now);
    Ok(())
}

/// A call that was too fast leaves no step. It leaves, once for a limit, window and run, the breach of the limit that
/// rejected it, with its audit row and its consequence.
pub(in crate::choke) fn throttled(
    state: &mut State,
    caller: &Caller,
    run_id: RunId,
    judged: &Judged,
) -> Result<(), Error> {
    for limit in judged.limits.iter().filter(|limit| limit.rejects) {
        let id: LimitId = limit.limit_id.parse().map_err(half_done)?;
        if !state.run(run_id)?.breached.contains(&(id, limit.window_start.clone())) {
            breached(state, caller, run_id, judged, limit, None)?;
        }
    }
    let now = state.now;
    let run = state.run_mut(run_id)?;
    run.near_limit = true;
    refresh(run, now);
    Ok(())
}

/// The run's own fate. Nothing that is only reported can be halted: it has happened.
fn halt(state: &mut State, run_id: RunId, judged: &Judged) -> Result<(), Error> {
    let action = judged.verdict.action();
    let Some(status) = status_after(judged) else { return Ok(()) };
    let due = state.now + state.spine.settings().stop_grace;
    let reason = termination(judged.conclusion.halt_reason);
    let run = state.run_mut(run_id)?;
    run.run.status = status;
    run.run.halt_action = Some(action);
    run.run.termination_reason = Some(reason);
    if action == Action::Stop {
        run.run.seal_due_at = Some(due);
    } else {
        run.ending = Some(Ending { status, reason, error: None });
    }
    Ok(())
}

/// A run that RUN_START refused never ran: it ends as it began, whatever the action.
pub(in crate::choke) fn refuse_start(state: &mut State, run_id: RunId, judged: &Judged) -> Result<(), Error> {
    let reason = termination(judged.conclusion.halt_reason);
    let action = judged.verdict.action().max(Action::Stop);
    let run = state.run_mut(run_id)?;
    let status = if action == Action::Abort { RunStatus::Aborted } else { RunStatus::Halted };
    run.run.status = status;
    run.run.halt_action = Some(action);
    run.run.seal_due_at = None;
    run.ending = Some(Ending { status, reason, error: None });
    Ok(())
}

fn termination(reason: Option<HaltReason>) -> TerminationReason {
    match reason {
        Some(HaltReason::BudgetExceeded) => TerminationReason::BudgetExceeded,
        Some(HaltReason::RateLimited) => TerminationReason::RateLimited,
        Some(HaltReason::EvaluationError) => TerminationReason::SystemFailure,
        Some(HaltReason::PolicyStop | HaltReason::PolicyKill | HaltReason::PermitRequired) | None => {
            TerminationReason::PolicyBlock
        }
    }
}

/// A limit that fired. Breached for the first time in its window and run: a breach, its audit row, its consequence.
fn breached(
    state: &mut State,
    caller: &Caller,
    run_id: RunId,
    judged: &Judged,
    limit: &LimitOutcome,
    step_index: Option<u64>,
) -> Result<Option<StrikeId>, Error> {
    let Some(breach_type) = limit.breach else { return Ok(None) };
    let id: LimitId = limit.limit_id.parse().map_err(half_done)?;
    let first = state.run_mut(run_id)?.breached.insert((id, limit.window_start.clone()));
    if first {
        let breach_id: BreachId = state.id();
        let now = state.now;
        let run = state.run_mut(run_id)?;
        let record = BreachRecord {
            tenant_id: run.run.tenant.to_string(),
            run_id: run_id.to_string(),
            breach_id: breach_id.to_string(),
            seq: run.next_seq(RecordKind::Breach),
            limit_id: limit.limit_id.clone(),
            limit_name: limit.name.clone(),
            limit_type: limit.limit_type,
            breach_type,
            window_start: limit.window_start.clone(),
            step_index,
            breached_value: limit.value.get(),
            threshold_value: limit.max.get(),
            breached_at: models::time::text(now),
        };
        run.trace.ranges.push(&record);
        let ledger = AuditLedgerService::new(ActorType::System, None, caller.correlation_id.clone());
        let after = json!({
            "run_id": record.run_id, "limit_id": record.limit_id, "limit_name": record.limit_name,
            "limit_type": record.limit_type, "breach_type": record.breach_type, "step_index": record.step_index,
            "breached_value": record.breached_value, "threshold_value": record.threshold_value,
            "action": judged.verdict.action(),
        });
        state.new.audits.push(ledger.limit_breached(&limit.limit_id, breach_type.as_str(), after));
        state.new.breaches.push(record);
    }
    if !matches!(limit.consequence, Some(Consequence::Incident | Consequence::Abort)) {
        return Ok(None);
    }
    let category = match limit.category {
        LimitCategory::Budget => IncidentCategory::BudgetExceeded,
        LimitCategory::Rate => IncidentCategory::RateLimit,
        LimitCategory::Threshold => IncidentCategory::Threshold,
    };
    let cause = Cause {
        category,
        cause_key: limit.limit_id.clone(),
        severity: severity_of_limit(limit.action, category),
        title: format!("Limit `{}` was passed", limit.name),
        description: limit.message.clone().unwrap_or_default(),
        note: said(judged, limit.action),
        step_index,
        policy_id: Some(limit.limit_id.clone()),
        limit_id: Some(id),
        error_code: None,
        cost_impact_nanousd: beyond(limit, judged.spent),
    };
    Ok(Some(strike(state, run_id, cause)))
}

/// What of a call's cost lies beyond the limit: of a limit on something else than cost all of it.
fn beyond(limit: &LimitOutcome, spent: u64) -> u64 {
    if counts_cost(limit.limit_type) { spent.min(limit.value.saturating_sub(limit.max).get()) } else { spent }
}
