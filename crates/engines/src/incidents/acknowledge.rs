//! Taking an incident.

use chrono::{DateTime, Utc};
use models::incidents::{Incident, LifecycleState};

use super::audit_state;
use crate::ledger::{AuditLedgerService, Governed};

/// Why an incident was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    /// It is over.
    #[error("the incident is resolved; there is nothing to acknowledge")]
    Resolved,
    /// Somebody else has it.
    #[error("the incident was acknowledged by {by}")]
    ByOther {
        /// Who has it.
        by: String,
    },
}

/// ACTIVE becomes ACKED. `None` where the same person did so before: nothing changes, nothing is owed.
pub fn acknowledge(
    incident: &Incident,
    ledger: &AuditLedgerService,
    now: DateTime<Utc>,
    by: &str,
    note: Option<&str>,
) -> Result<Option<Governed<Incident>>, AcknowledgeError> {
    match (incident.lifecycle_state, incident.acknowledged_by.as_deref()) {
        (LifecycleState::Resolved, _) => Err(AcknowledgeError::Resolved),
        (LifecycleState::Acked, Some(who)) if who == by => Ok(None),
        (LifecycleState::Acked, who) => {
            Err(AcknowledgeError::ByOther { by: who.unwrap_or("somebody").to_owned() })
        }
        (LifecycleState::Active, _) => {
            let after = Incident {
                lifecycle_state: LifecycleState::Acked,
                acknowledged_at: Some(now),
                acknowledged_by: Some(by.to_owned()),
                updated_at: now,
                ..incident.clone()
            };
            let id = incident.id.to_string();
            let owed = ledger.incident_acknowledged(&id, note, audit_state(incident), audit_state(&after));
            Ok(Some(Governed::new(after, owed)))
        }
    }
}
