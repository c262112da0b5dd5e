//! An incident as the Audit Ledger shows it.

use models::incidents::Incident;
use serde_json::{Value, json};

/// The state that audit rows embed. It names the run, so that governance events are found by run (PIN-546).
#[must_use]
pub fn audit_state(incident: &Incident) -> Value {
    json!({
        "incident_id": incident.id.to_string(),
        "run_id": incident.source_run_id.map(|id| id.to_string()),
        "title": incident.title,
        "category": incident.category,
        "severity": incident.severity,
        "lifecycle_state": incident.lifecycle_state,
        "affected_count": incident.affected_count,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": incident.acknowledged_at.map(models::time::text),
        "resolved_by": incident.resolved_by,
        "resolved_at": incident.resolved_at.map(models::time::text),
        "resolution_type": incident.resolution_type,
        "resolution_notes": incident.resolution_notes,
    })
}
