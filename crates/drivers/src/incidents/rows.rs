//! Incidents and their events as rows.

use models::incidents::{
    Incident, IncidentEvent,
    entity::{incident_events, incidents},
    run_key,
};

use crate::rows::rows;

rows! {
    Incident, incidents, key(id), fn to_row(incident), fn from_row,
    same {
        id, title, category, severity, opened_severity, lifecycle_state, cause_type, cause_key, source_run_id,
        source_step_index, seq, policy_id, limit_id, description, error_code, cost_impact_microusd, later_impact_microusd,
        affected_count,
        recurrence_signature, similar_incident_group_id, correlation_id, is_synthetic, synthetic_scenario_id,
        acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_type, resolution_notes, escalated_at,
        created_at, updated_at,
    } renamed { tenant => tenant_id } extra { run_key = run_key(incident.source_run_id) }
}

rows! {
    IncidentEvent, incident_events, key(id), fn event_row(event), fn event,
    same { id, incident_id, event_type, actor, details } renamed { tenant => tenant_id, at => created_at } extra {}
}
