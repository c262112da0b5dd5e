//! Resolving an incident.

use models::{
    ids::IncidentId,
    incidents::{Incident, ResolutionType},
};

use super::end::end;
use crate::{context::CallContext, errors::Error, spine::Spine};

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
