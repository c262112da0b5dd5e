//! What every move of an incident writes: the incident, an event in its timeline, and the audit row that it owes.

use chrono::{DateTime, Utc};
use drivers::Tx;
use engines::ledger::Governed;
use models::incidents::{Incident, IncidentEvent, IncidentEventType};
use serde_json::json;

use crate::{context::CallContext, errors::Error, ledger::settle, spine::Spine};

/// Stores a move in the caller's transaction. Incidents are locked before the head of the log, never after.
pub(super) async fn store(
    spine: &Spine,
    ctx: &CallContext,
    tx: &Tx,
    moved: Governed<Incident>,
    event_type: IncidentEventType,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Incident, Error> {
    let incident = settle(spine, tx, ctx.tenant.id, moved, now).await?;
    let event = IncidentEvent {
        tenant: ctx.tenant.id,
        id: spine.id(now),
        incident_id: incident.id,
        event_type,
        actor: Some(ctx.actor_id.clone()),
        details: note.map(|note| proof::canonical::to_text(&json!({ "note": note }))),
        at: now,
    };
    tx.incidents().save_incidents(std::slice::from_ref(&incident)).await?;
    tx.incidents().insert_events(&[event]).await?;
    Ok(incident)
}
