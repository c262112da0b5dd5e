//! Taking an incident.

use engines::incidents::{self as engine, AcknowledgeError};
use models::{
    ids::IncidentId,
    incidents::{Incident, IncidentEventType},
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

/// `incidents.acknowledge`: the caller takes an incident. Again by the same person: nothing happens.
#[tracing::instrument(name = "incidents.acknowledge", skip_all, fields(tenant = %ctx.tenant.id, incident = %id))]
pub async fn acknowledge(
    spine: &Spine,
    ctx: &CallContext,
    id: IncidentId,
    note: Option<String>,
) -> Result<Incident, Error> {
    let once = Once::of(spine, ctx, "incidents.acknowledge", &(id, &note))?;
    let note = note_of(note)?;
    retrying(spine, || attempt(spine, ctx, &once, id, note.as_deref())).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    id: IncidentId,
    note: Option<&str>,
) -> Result<Incident, Error> {
    let (now, ledger) = (spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let found = tx.incidents().lock_incident(ctx.tenant.id, id).await?;
    let incident = found.ok_or_else(|| Error::not_found("incident", id))?;
    let taken =
        engine::acknowledge(&incident, &ledger, now, &ctx.actor_id, note).map_err(|err| refused(&err))?;
    // What changes nothing keeps its key all the same.
    let Some(taken) = taken else { return tx.commit(incident).await };
    let incident = store(spine, ctx, &tx, taken, IncidentEventType::Acknowledged, note, now).await?;
    tx.commit(incident).await
}

pub(super) fn refused(err: &AcknowledgeError) -> Error {
    let code = match err {
        AcknowledgeError::Resolved => ConflictCode::IncidentResolved,
        AcknowledgeError::ByOther { .. } => ConflictCode::IncidentAcknowledgedByOther,
    };
    Error::Conflict { code, detail: err.to_string() }
}
