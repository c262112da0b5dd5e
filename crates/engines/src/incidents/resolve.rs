//! Ending an incident: resolved with a reason, or closed by hand.

use chrono::{DateTime, Utc};
use models::incidents::{Incident, LifecycleState, ResolutionType};

use super::audit_state;
use crate::ledger::{AuditLedgerService, Governed};

/// An incident that is over already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the incident is resolved already")]
pub struct ResolveError;

/// How and by whom an incident ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// `manual_closure` makes it a manual close, with an audit event of its own.
    pub resolution_type: ResolutionType,
    /// In the words of who ends it.
    pub note: Option<String>,
    /// Who ends it.
    pub by: String,
}

/// ACTIVE or ACKED becomes RESOLVED.
pub fn resolve(
    incident: &Incident,
    ledger: &AuditLedgerService,
    now: DateTime<Utc>,
    how: &Resolution,
) -> Result<Governed<Incident>, ResolveError> {
    if incident.lifecycle_state == LifecycleState::Resolved {
        return Err(ResolveError);
    }
    let after = Incident {
        lifecycle_state: LifecycleState::Resolved,
        resolved_at: Some(now),
        resolved_by: Some(how.by.clone()),
        resolution_type: Some(how.resolution_type),
        resolution_notes: how.note.clone(),
        updated_at: now,
        ..incident.clone()
    };
    let (id, note) = (incident.id.to_string(), how.note.as_deref());
    let (before_state, after_state) = (audit_state(incident), audit_state(&after));
    let owed = match how.resolution_type {
        ResolutionType::ManualClosure => {
            ledger.incident_manually_closed(&id, note, before_state, after_state)
        }
        _ => ledger.incident_resolved(&id, note, before_state, after_state),
    };
    Ok(Governed::new(after, owed))
}
