//! Incidents of a run: opened once for a cause, counted up after.

use engines::incidents::{Cause, Origin, open, recur, severity_of_rule};
use models::{
    activity::Run,
    ids::{IncidentEventId, IncidentId, RunId},
    incidents::{Incident, IncidentEvent, IncidentEventType},
};
use proof::{
    records::{IncidentRecord, Record, RecordKind},
    words::{Action, IncidentCategory, PolicyKind, RuleType},
};
use serde_json::json;

use super::{
    effects::spent,
    fired::said,
    judge::Judged,
    state::{State, Tracked},
};
use crate::errors::Error;

/// A rule that refuses, or would have, makes the run a violated one and opens an incident: the most severe rule's.
pub(super) fn incident_of_rules(
    state: &mut State,
    run_id: RunId,
    judged: &Judged,
    step_index: Option<u64>,
) -> Result<Option<IncidentId>, Error> {
    let fired =
        judged.conclusion.fired.iter().find(|fired| fired.kind == PolicyKind::Rule && fired.action.refuses());
    let Some(fired) = fired else { return Ok(None) };
    let spent = spent(judged)?;
    let run = state.run_mut(run_id)?;
    // One that ends the run has cost all that the run had; a step of one that goes on, itself.
    let cost = if fired.action >= Action::Stop && !judged.reported { run.run.cost_microusd } else { spent };
    run.run.policy_violation = true;
    let rule = run.snapshot.compiled.rule(&fired.policy_id);
    let rule_type = rule.map_or(RuleType::System, |rule| rule.rule_type);
    let what = if run.run.step_count + run.run.refused_count == 0 && step_index.is_none() {
        "the run"
    } else {
        "a step"
    };
    let cause = Cause {
        category: IncidentCategory::PolicyViolation,
        cause_key: fired.policy_id.clone(),
        severity: severity_of_rule(fired.action, rule_type),
        // What is only reported has happened already.
        title: match said(judged, fired.action) {
            _ if judged.reported => format!("Rule `{}` would have refused {what}", fired.name),
            Some(_) => format!("Rule `{}` refused {what} after it was done", fired.name),
            None => format!("Rule `{}` refused {what}", fired.name),
        },
        description: match said(judged, fired.action) {
            Some(said) => format!("{} ({said})", fired.why()),
            None => fired.why(),
        },
        step_index,
        policy_id: Some(fired.policy_id.clone()),
        limit_id: None,
        error_code: fired.fault.map(|fault| format!("evaluation_error:{fault}")),
        cost_impact_microusd: cost,
    };
    open_incident(state, run_id, cause).map(Some)
}

/// Opens the incident of a cause, or counts it up where the run has it already.
pub(super) fn open_incident(state: &mut State, run_id: RunId, cause: Cause) -> Result<IncidentId, Error> {
    let now = state.now;
    let run = state.run_mut(run_id)?;
    let same = |known: &&mut Tracked<Incident>| {
        known.row.category == cause.category && known.row.cause_key == cause.cause_key
    };
    if let Some(known) = run.incidents.iter_mut().find(same) {
        let (after, escalated) = recur(&known.row, cause.severity, cause.cost_impact_microusd, now);
        let id = after.id;
        known.row = after;
        known.changed = true;
        event(state, id, IncidentEventType::Recurred, cause.step_index);
        if escalated {
            event(state, id, IncidentEventType::SeverityEscalated, cause.step_index);
        }
        // One that this group opened is not written yet: it goes as it is now, and as it was opened into the receipt.
        state.refresh_new_incident(run_id, id);
        return Ok(id);
    }
    let id: IncidentId = state.id();
    let run = state.run_mut(run_id)?;
    let seq = run.next_seq(RecordKind::Incident);
    let incident = open(&origin(&run.run), cause, id, seq, now);
    run.trace.ranges.push(&Record::Incident(incident_record(&incident, run_id, seq)));
    run.run.incident_count += 1;
    run.incidents.push(Tracked::stored(incident.clone()));
    let step_index = incident.source_step_index;
    state.new.incidents.push(incident);
    event(state, id, IncidentEventType::Created, step_index);
    Ok(id)
}

/// What of the run its incidents carry.
fn origin(run: &Run) -> Origin {
    Origin {
        tenant: run.tenant,
        run_id: run.id,
        correlation_id: run.correlation_id.clone(),
        is_synthetic: run.is_synthetic,
        synthetic_scenario_id: run.synthetic_scenario_id.clone(),
    }
}

fn event(state: &mut State, incident_id: IncidentId, event_type: IncidentEventType, step_index: Option<u64>) {
    let id: IncidentEventId = state.id();
    state.new.incident_events.push(IncidentEvent {
        tenant: state.tenant.id,
        id,
        incident_id,
        event_type,
        actor: None,
        details: step_index.map(|index| proof::canonical::to_text(&json!({ "step_index": index }))),
        at: state.now,
    });
}

/// The incident as it was opened, as the receipt covers it.
pub(crate) fn incident_record(incident: &Incident, run_id: RunId, seq: u64) -> IncidentRecord {
    IncidentRecord {
        tenant_id: incident.tenant.to_string(),
        run_id: run_id.to_string(),
        incident_id: incident.id.to_string(),
        seq,
        title: incident.title.clone(),
        category: incident.category,
        severity: incident.opened_severity,
        cause_type: incident.cause_type,
        cause_key: incident.cause_key.clone(),
        step_index: incident.source_step_index,
        policy_id: incident.policy_id.clone(),
        limit_id: incident.limit_id.map(|id| id.to_string()),
        description: incident.description.clone(),
        error_code: incident.error_code.clone(),
        cost_impact_microusd: incident.cost_impact_microusd,
        recurrence_signature: incident.recurrence_signature.clone(),
        is_synthetic: incident.is_synthetic,
        opened_at: models::time::text(incident.created_at),
    }
}
