//! A run and its incidents as they stand now, in the words of a bundle; and what the run is bound to.

use models::{
    activity::Run,
    incidents::{Incident, IncidentEvent},
    policies::Snapshot,
};
use proof::{
    bundle::{LiveIncident, LiveLate, LiveRun, TimelineEvent},
    definitions::SnapshotDefinition,
};

use crate::errors::Error;

/// What the run is bound to.
pub(super) fn definition(run: &Run, stored: Option<Snapshot>) -> Result<SnapshotDefinition, Error> {
    let id = run.snapshot_id;
    let stored = stored.ok_or_else(|| Error::Internal(format!("the policy snapshot {id} is missing")))?;
    serde_json::from_str(&stored.definition)
        .map_err(|err| Error::Internal(format!("the policy snapshot {id} does not read back: {err}")))
}

/// The run.
pub(super) fn live_run(run: &Run) -> LiveRun {
    LiveRun {
        tenant_id: run.tenant.to_string(),
        run_id: run.id.to_string(),
        trace_id: run.trace_id.to_string(),
        agent_id: run.agent_id.clone(),
        actor_type: run.actor_type,
        actor_id: run.actor_id.clone(),
        conversation_id: run.conversation_id.clone(),
        session_id: run.session_id.clone(),
        user_id: run.user_id.clone(),
        assurance: run.assurance,
        status: run.status,
        termination_reason: run.termination_reason,
        error_message: run.error_message.clone(),
        started_at: models::time::text(run.started_at),
        last_seen_at: models::time::text(run.last_seen_at),
        completed_at: run.completed_at.map(models::time::text),
        step_count: run.step_count,
        refused_count: run.refused_count,
        input_tokens: run.input_tokens,
        output_tokens: run.output_tokens,
        cost_nanousd: run.cost_nanousd,
        risk_level: run.risk_level.to_string(),
        latency_bucket: run.latency_bucket.to_string(),
        evidence_health: run.evidence_health.to_string(),
        integrity_status: run.integrity_status,
        incident_count: run.incident_count,
        policy_violation: run.policy_violation,
        policy_draft_count: run.policy_draft_count,
        late: run.late.as_ref().map(|late| LiveLate {
            addenda: late.addenda,
            step_count: late.step_count,
            input_tokens: late.input_tokens,
            output_tokens: late.output_tokens,
            cost_nanousd: late.cost_nanousd,
        }),
    }
}

/// One of its incidents.
pub(super) fn live_incident(incident: Incident, timeline: Vec<IncidentEvent>) -> LiveIncident {
    LiveIncident {
        incident_id: incident.id.to_string(),
        title: incident.title,
        category: incident.category,
        severity: incident.severity,
        lifecycle_state: incident.lifecycle_state.to_string(),
        affected_count: incident.affected_count,
        acknowledged_at: incident.acknowledged_at.map(models::time::text),
        acknowledged_by: incident.acknowledged_by,
        resolved_at: incident.resolved_at.map(models::time::text),
        resolved_by: incident.resolved_by,
        resolution_type: incident.resolution_type.map(|how| how.to_string()),
        resolution_notes: incident.resolution_notes,
        escalated_at: incident.escalated_at.map(models::time::text),
        created_at: models::time::text(incident.created_at),
        timeline: timeline
            .into_iter()
            .map(|event| TimelineEvent {
                event_id: event.id.to_string(),
                event_type: event.event_type.to_string(),
                actor: event.actor,
                details: event.details,
                at: models::time::text(event.at),
            })
            .collect(),
    }
}
