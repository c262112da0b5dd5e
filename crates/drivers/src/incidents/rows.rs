//! Incidents, what runs did of them, and their events as rows.

use entities::incidents::{incident_events, incident_runs, incidents};
use models::incidents::{Incident, IncidentEvent, IncidentRun};

use crate::rows::rows;

rows! {
    Incident, incidents, key(id), fn to_row(incident), fn from_row,
    same {
        id, title, category, severity, opened_severity, lifecycle_state, cause_type, cause_key, source_run_id,
        source_step_index, policy_id, limit_id, description, error_code, cost_impact_nanousd, affected_count, occurrences,
        last_seen_at, agents, more_agents, recurrence_signature, recurrence_count, similar_incident_group_id, correlation_id,
        is_synthetic, synthetic_scenario_id, acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_type,
        resolution_notes, escalated_at, created_at, updated_at,
    } renamed { tenant => tenant_id } extra { namesake = 0_u64 }
}

rows! {
    IncidentRun, incident_runs, key(incident_id, run_id), fn run_row(of), fn run_from_row,
    same {
        incident_id, run_id, relation, seq, note, first_step_index, cost_impact_nanousd, later_impact_nanousd,
        occurrences, first_at, last_at,
    } renamed { tenant => tenant_id } extra {}
}

rows! {
    IncidentEvent, incident_events, key(id), fn event_row(event), fn event,
    same { id, incident_id, event_type, actor, details } renamed { tenant => tenant_id, at => created_at } extra {}
}
