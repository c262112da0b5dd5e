//! The rows that each rule and limit that fired leaves: its enforcement and its prevention record. Both name the
//! incident that it came to, which is known when the group is settled.

use models::ids::{EnforcementId, IncidentId, PreventionId, RunId};
use proof::{
    records::{EnforcementRecord, PreventionRecord, RecordKind},
    words::{Action, ActionTaken, PolicyKind, PreventionOutcome, REFUSED_AFTER, RuleSource},
};
use rules::verdict::Fired;
use serde_json::json;

use crate::{
    choke::{
        judge::Judged,
        state::{
            RunState, State,
            strikes::{FiredRows, StrikeId},
        },
    },
    errors::Error,
};

/// What was done, as a participle: nothing, where the rule only records, and where what it refuses had been done by
/// then (spec 3). A warning is one at any time; what is only told by a trace warns nobody.
fn taken(judged: &Judged, fired: &Fired) -> Option<ActionTaken> {
    match fired.action.taken() {
        _ if judged.reported => Some(ActionTaken::Audited),
        _ if judged.is_too_late() && fired.action.refuses() => Some(ActionTaken::Audited),
        None => fired.would_have.map(|_| ActionTaken::Audited),
        taken => taken,
    }
}

/// What would have been done, had it been judged before it was done; or by a rule that only records.
fn would_have(judged: &Judged, fired: &Fired) -> Option<Action> {
    let too_late = judged.reported || (judged.is_too_late() && fired.action.refuses());
    if too_late { Some(fired.action) } else { fired.would_have }
}

/// What is said of a refusal that came after the act.
pub(in crate::choke) fn said(judged: &Judged, action: Action) -> Option<&'static str> {
    (judged.is_too_late() && !judged.reported && action.refuses()).then_some(REFUSED_AFTER)
}

/// Notes the rows that what fired will leave.
pub(in crate::choke) fn fire(
    state: &mut State,
    run_id: RunId,
    judged: &Judged,
    fired: &Fired,
    struck: Option<StrikeId>,
    step_index: Option<u64>,
) -> Result<(), Error> {
    let Some(action_taken) = taken(judged, fired) else { return Ok(()) };
    let enforcement = enforcement(state, run_id, judged, fired, action_taken, step_index);
    let prevention = prevention(state, run_id, judged, fired, action_taken, step_index)?;
    state.fired.push(FiredRows { run_id, struck, enforcement, prevention });
    Ok(())
}

/// Records what fired, each with the incident that it came to.
pub(in crate::choke) fn record(state: &mut State, incidents: &[IncidentId]) -> Result<(), Error> {
    for rows in std::mem::take(&mut state.fired) {
        let FiredRows { run_id, struck, mut enforcement, mut prevention } = rows;
        let incident = struck.and_then(|struck| incidents.get(struck)).map(ToString::to_string);
        let run = state.run_mut(run_id)?;
        enforcement.incident_id.clone_from(&incident);
        enforcement.seq = Some(run.next_seq(RecordKind::Enforcement));
        run.trace.ranges.push(&enforcement);
        prevention.blocked_incident_id = incident;
        prevention.seq = Some(run.next_seq(RecordKind::Prevention));
        run.trace.ranges.push(&prevention);
        state.new.enforcements.push(enforcement);
        state.new.preventions.push(prevention);
    }
    Ok(())
}

fn enforcement(
    state: &State,
    run_id: RunId,
    judged: &Judged,
    fired: &Fired,
    action_taken: ActionTaken,
    step_index: Option<u64>,
) -> EnforcementRecord {
    let id: EnforcementId = state.id();
    let details = proof::canonical::to_text(&json!({
        "name": fired.name, "mode": fired.mode, "message": fired.message,
        "would_have": would_have(judged, fired), "asked": judged.asked(), "note": said(judged, fired.action),
        "fault": fired.fault, "decision_id": judged.decision_id.to_string(),
        "facts": (!fired.facts.is_empty()).then_some(&fired.facts),
        "more_facts": (fired.more_facts.get() > 0).then_some(fired.more_facts),
    }));
    EnforcementRecord {
        tenant_id: state.tenant.id.to_string(),
        run_id: Some(run_id.to_string()),
        enforcement_id: id.to_string(),
        seq: None,
        policy_id: fired.policy_id.clone(),
        policy_kind: fired.kind,
        rule_id: (fired.kind == PolicyKind::Rule).then(|| fired.policy_id.clone()),
        incident_id: None,
        step_index,
        action_taken,
        details,
        triggered_at: models::time::text(state.now),
    }
}

fn prevention(
    state: &State,
    run_id: RunId,
    judged: &Judged,
    fired: &Fired,
    taken: ActionTaken,
    step_index: Option<u64>,
) -> Result<PreventionRecord, Error> {
    let breached =
        judged.limits.iter().any(|limit| limit.limit_id == fired.policy_id && limit.breach.is_some());
    let id: PreventionId = state.id();
    let run = state.run(run_id)?;
    let original = learned_from(run, fired);
    Ok(PreventionRecord {
        tenant_id: run.run.tenant.to_string(),
        run_id: run_id.to_string(),
        prevention_id: id.to_string(),
        seq: None,
        policy_id: Some(fired.policy_id.clone()),
        policy_kind: Some(fired.kind),
        policy_name: Some(fired.name.clone()),
        pattern_id: None,
        step_index,
        outcome: match taken {
            _ if breached => PreventionOutcome::LimitBreached,
            _ if original.is_some() && fired.action.refuses() && !judged.is_too_late() => {
                PreventionOutcome::Prevented
            }
            ActionTaken::Warned => PreventionOutcome::Warned,
            ActionTaken::Blocked => PreventionOutcome::Blocked,
            ActionTaken::Stopped => PreventionOutcome::Stopped,
            ActionTaken::Killed => PreventionOutcome::Killed,
            ActionTaken::Aborted => PreventionOutcome::Aborted,
            ActionTaken::Audited => PreventionOutcome::Audited,
        },
        confidence_permille: 1_000,
        original_incident_id: original,
        blocked_incident_id: None,
        asked: judged.asked(),
        would_have: would_have(judged, fired),
        refused_after: said(judged, fired.action).is_some(),
        is_simulated: false,
        is_synthetic: run.run.is_synthetic,
        evaluated_at: models::time::text(state.now),
    })
}

/// The incident that a LEARNED rule's proposal came from.
fn learned_from(run: &RunState, fired: &Fired) -> Option<String> {
    let rule = run.snapshot.compiled.rule(&fired.policy_id)?;
    rule.source_incident_id.clone().filter(|_| rule.source == RuleSource::Learned)
}
