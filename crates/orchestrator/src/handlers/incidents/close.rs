//! Closing an incident by hand.

use models::{
    ids::IncidentId,
    incidents::{Incident, ResolutionType},
};

use super::end::end;
use crate::{context::CallContext, errors::Error, spine::Spine};

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
