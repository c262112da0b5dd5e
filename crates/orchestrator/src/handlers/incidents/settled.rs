//! What every move of an incident writes: the incident, an event in its timeline, and the audit row that it owes.

use chrono::{DateTime, Utc};
use drivers::Tx;
use engines::ledger::Governed;
use models::incidents::{Incident, IncidentEvent, IncidentEventType};
use serde_json::json;

use crate::{
    context::CallContext,
    errors::Error,
    ledger::{settle, settle_all},
    spine::Spine,
};

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
    written(spine, ctx, tx, std::slice::from_ref(&incident), (event_type, note), now).await?;
    Ok(incident)
}

/// The same for several incidents, which all make the same move.
pub(super) async fn store_all(
    spine: &Spine,
    ctx: &CallContext,
    tx: &Tx,
    moved: Vec<Governed<Incident>>,
    event_type: IncidentEventType,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<Incident>, Error> {
    let incidents = settle_all(spine, tx, ctx.tenant.id, moved, now).await?;
    written(spine, ctx, tx, &incidents, (event_type, note), now).await?;
    Ok(incidents)
}

async fn written(
    spine: &Spine,
    ctx: &CallContext,
    tx: &Tx,
    incidents: &[Incident],
    (event_type, note): (IncidentEventType, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event = |incident: &Incident| IncidentEvent {
        tenant: ctx.tenant.id,
        id: spine.id(now),
        incident_id: incident.id,
        event_type,
        actor: Some(ctx.actor_id.clone()),
        details: note.map(|note| proof::canonical::to_text(&json!({ "note": note }))),
        at: now,
    };
    let events: Vec<IncidentEvent> = incidents.iter().map(event).collect();
    tx.incidents().save_incidents(incidents).await?;
    Ok(tx.incidents().insert_events(&events).await?)
}
