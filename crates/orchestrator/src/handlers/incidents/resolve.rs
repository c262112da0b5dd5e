//! Ending an incident.

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

/// How an incident ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolve {
    /// In the words of who ends it.
    pub note: Option<String>,
    /// `manual` where not given; `manual_closure` makes it a manual close.
    pub resolution_type: Option<ResolutionType>,
}

/// `incidents.resolve`: an incident is over.
#[tracing::instrument(name = "incidents.resolve", skip_all, fields(tenant = %ctx.tenant.id, incident = %id))]
pub async fn resolve(
    spine: &Spine,
    ctx: &CallContext,
    id: IncidentId,
    how: Resolve,
) -> Result<Incident, Error> {
    end(spine, ctx, id, how.note, how.resolution_type.unwrap_or(ResolutionType::Manual)).await
}

/// `incidents.close`: an incident is closed by hand, which has an audit event of its own.
#[tracing::instrument(name = "incidents.close", skip_all, fields(tenant = %ctx.tenant.id, incident = %id))]
pub async fn close(
    spine: &Spine,
    ctx: &CallContext,
    id: IncidentId,
    note: Option<String>,
) -> Result<Incident, Error> {
    end(spine, ctx, id, note, ResolutionType::ManualClosure).await
}

async fn end(
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
