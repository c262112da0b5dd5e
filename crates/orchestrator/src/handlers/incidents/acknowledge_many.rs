//! Taking several incidents in one move.

use std::collections::BTreeMap;

use engines::incidents::{self as engine, AcknowledgeError};
use models::{
    ids::IncidentId,
    incidents::{Incident, IncidentEventType},
};
use serde::{Deserialize, Serialize};

use super::{acknowledge::refused, settled::store_all};
use crate::{
    context::CallContext,
    errors::Error,
    handlers::shared::ledger_of,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::note_of,
};

/// How many incidents may be taken in one move.
const MOST: usize = 200;

/// What came of one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Outcome {
    Taken(Box<Incident>),
    Resolved,
    ByOther(String),
    Unknown,
}

/// What came of one of several incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Which one it is.
    pub id: IncidentId,
    outcome: Outcome,
}

impl Taken {
    /// What `incidents.acknowledge` would have answered.
    pub fn answer(self) -> Result<Incident, Error> {
        match self.outcome {
            Outcome::Taken(incident) => Ok(*incident),
            Outcome::Resolved => Err(refused(&AcknowledgeError::Resolved)),
            Outcome::ByOther(by) => Err(refused(&AcknowledgeError::ByOther { by })),
            Outcome::Unknown => Err(Error::not_found("incident", self.id)),
        }
    }
}

/// `incidents.acknowledge_many`: the caller takes all of these that may be taken, in one transaction; of the others it
/// is told why not. An answer for each, in their order.
#[tracing::instrument(name = "incidents.acknowledge_many", skip_all, fields(tenant = %ctx.tenant.id, incidents = ids.len()))]
pub async fn acknowledge_many(
    spine: &Spine,
    ctx: &CallContext,
    ids: Vec<IncidentId>,
    note: Option<String>,
) -> Result<Vec<Taken>, Error> {
    if !(1..=MOST).contains(&ids.len()) {
        return Err(Error::invalid("/incident_ids", format!("must be 1 to {MOST} incidents")));
    }
    let once = Once::of(spine, ctx, "incidents.acknowledge_many", &(&ids, &note))?;
    let note = note_of(note)?;
    retrying(spine, || attempt(spine, ctx, &once, &ids, note.as_deref())).await
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    ids: &[IncidentId],
    note: Option<&str>,
) -> Result<Vec<Taken>, Error> {
    let (now, ledger) = (spine.now(), ledger_of(ctx));
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let mut moved = Vec::new();
    let mut outcomes: BTreeMap<IncidentId, Outcome> = BTreeMap::new();
    for incident in tx.incidents().lock_incidents(ctx.tenant.id, ids).await? {
        let id = incident.id;
        match engine::acknowledge(&incident, &ledger, now, &ctx.actor_id, note) {
            Ok(Some(taken)) => moved.push(taken),
            Ok(None) => {
                outcomes.insert(id, Outcome::Taken(Box::new(incident)));
            }
            Err(AcknowledgeError::Resolved) => {
                outcomes.insert(id, Outcome::Resolved);
            }
            Err(AcknowledgeError::ByOther { by }) => {
                outcomes.insert(id, Outcome::ByOther(by));
            }
        }
    }
    if !moved.is_empty() {
        let taken = store_all(spine, ctx, &tx, moved, IncidentEventType::Acknowledged, note, now).await?;
        outcomes.extend(taken.into_iter().map(|incident| (incident.id, Outcome::Taken(Box::new(incident)))));
    }
    let taken =
        |id: &IncidentId| Taken { id: *id, outcome: outcomes.get(id).cloned().unwrap_or(Outcome::Unknown) };
    let answer: Vec<Taken> = ids.iter().map(taken).collect();
    tx.commit(answer).await
}
