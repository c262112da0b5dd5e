//! An incident as the Audit Ledger shows it.

use models::incidents::Incident;
use serde_json::{Value, json};

/// The state that audit rows embed. It names the run, so that governance events are found by run (PIN-546). Every
/// member of an incident is named, so that one that is added is shown or left out by choice.
#[must_use]
pub fn audit_state(incident: &Incident) -> Value {
    let Incident {
        id,
        source_run_id,
        title,
        category,
        severity,
        lifecycle_state,
        affected_count,
        acknowledged_by,
        acknowledged_at,
        resolved_by,
        resolved_at,
        resolution_type,
        resolution_notes,
        // The row has the tenant, and the incident itself says what it came from and what it comes to.
        tenant: _,
        opened_severity: _,
        cause_type: _,
        cause_key: _,
        source_step_index: _,
        policy_id: _,
        limit_id: _,
        description: _,
        error_code: _,
        cost_impact_nanousd: _,
        occurrences: _,
        last_seen_at: _,
        agents: _,
        more_agents: _,
        recurrence_signature: _,
        recurrence_count: _,
        similar_incident_group_id: _,
        correlation_id: _,
        is_synthetic: _,
        synthetic_scenario_id: _,
        escalated_at: _,
        created_at: _,
        updated_at: _,
    } = incident;
    json!({
        "incident_id": id.to_string(),
        "run_id": source_run_id.map(|id| id.to_string()),
        "title": title,
        "category": category,
        "severity": severity,
        "lifecycle_state": lifecycle_state,
        "affected_count": affected_count,
        "acknowledged_by": acknowledged_by,
        "acknowledged_at": acknowledged_at.map(models::time::text),
        "resolved_by": resolved_by,
        "resolved_at": resolved_at.map(models::time::text),
        "resolution_type": resolution_type,
        "resolution_notes": resolution_notes,
    })
}
