//! The runs that an incident concerns.

use std::collections::HashMap;

use drivers::ReadTx;
use models::{
    activity::Run,
    ids::{IncidentId, RunId, TenantId},
    incidents::IncidentRun,
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// A run that an incident concerns.
#[derive(Clone, Debug, PartialEq)]
pub struct AffectedRun {
    /// What it did of it.
    pub of: IncidentRun,
    /// The run as it stands.
    pub run: Run,
}

/// `incidents.runs`: the runs that an incident concerns, the newest to meet it first.
#[tracing::instrument(name = "incidents.runs", skip_all, fields(tenant = %ctx.tenant.id, incident = %id))]
pub async fn runs(
    spine: &Spine,
    ctx: &CallContext,
    id: IncidentId,
    page: PageRequest,
) -> Result<Page<AffectedRun>, Error> {
    let (store, tenant) = (spine.read().await?, ctx.tenant.id);
    let found = store.incidents().find_incident(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("incident", id))?;
    affected(&store, tenant, id, &page).await
}

/// The runs that an incident concerns, where somebody reads already.
pub(super) async fn affected(
    store: &ReadTx,
    tenant: TenantId,
    id: IncidentId,
    page: &PageRequest,
) -> Result<Page<AffectedRun>, Error> {
    let Page { items, next_cursor, has_more, total } =
        store.incident_runs().of_incident(tenant, id, page).await?;
    let ids: Vec<RunId> = items.iter().map(|of| of.run_id).collect();
    let mut runs: HashMap<RunId, Run> =
        store.activity().find_runs(tenant, &ids).await?.into_iter().map(|run| (run.id, run)).collect();
    let items = items
        .into_iter()
        .map(|of| {
            let run = runs.remove(&of.run_id).ok_or_else(|| Error::not_found("run", of.run_id))?;
            Ok(AffectedRun { of, run })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Page { items, next_cursor, has_more, total })
}
