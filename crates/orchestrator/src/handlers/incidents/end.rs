//! Ending an incident: what resolving and closing one have in common.

use engines::incidents::{self as engine, Resolution};
use models::{
    ids::IncidentId,
    incidents::{Incident, IncidentEventType, ResolutionType},
};

use super::settled::store;
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    handlers::shared::ledger_of,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::note_of,
};

/// Ends an incident, whichever operation asks for it.
pub(super) async fn end(
    spine: &Spine,
    ctx: &CallContext,
    id: IncidentId,
    note: Option<String>,
    resolution_type: ResolutionType,
) -> Result<Incident, Error> {
    let once = Once::of(spine, ctx, "incidents.resolve", &(id, &note, resolution_type))?;
    let how = Resolution { resolution_type, note: note_of(note)?, by: ctx.actor_id.clone() };
    retrying(spine, || attempt(spine, ctx, &once, id, &how)).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    id: IncidentId,
    how: &Resolution,
) -> Result<Incident, Error> {
    let (now, ledger) = (spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let found = tx.incidents().lock_incident(ctx.tenant.id, id).await?;
    let incident = found.ok_or_else(|| Error::not_found("incident", id))?;
    let ended = engine::resolve(&incident, &ledger, now, how)
        .map_err(|err| Error::Conflict { code: ConflictCode::IncidentResolved, detail: err.to_string() })?;
    let event = match how.resolution_type {
        ResolutionType::ManualClosure => IncidentEventType::ManuallyClosed,
        _ => IncidentEventType::Resolved,
    };
    let incident = store(spine, ctx, &tx, ended, event, how.note.as_deref(), now).await?;
    tx.commit(incident).await
}
