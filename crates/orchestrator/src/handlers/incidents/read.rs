//! Reading incidents.

use std::collections::HashMap;

use drivers::ReadTx;
use models::{
    activity::Run,
    ids::{IncidentId, RuleId, RunId, TenantId},
    incidents::{Incident, IncidentEvent, IncidentFilter, IncidentRun, RunIncident},
    page::{Page, PageRequest},
    policies::{Limit, Rule},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// How many of the runs that joined an incident its detail tells of, and its timeline: the last ones.
const JOINED: u64 = PageRequest::DEFAULT_LIMIT;

/// An incident with its timeline, the runs that it concerns, and the rule or limit that triggered it.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentDetail {
    /// The incident as it stands.
    pub incident: Incident,
    /// What happened to it, oldest first; of the runs that joined it, the last.
    pub timeline: Vec<IncidentEvent>,
    /// What runs did of it, the newest to meet it first: the first page.
    pub runs: Page<AffectedRun>,
    /// The rule that fired, if one did.
    pub rule: Option<Rule>,
    /// The limit that was passed, if one was.
    pub limit: Option<Limit>,
}

/// A run that an incident concerns.
#[derive(Clone, Debug, PartialEq)]
pub struct AffectedRun {
    /// What it did of it.
    pub of: IncidentRun,
    /// The run as it stands.
    pub run: Run,
}

/// `incidents.list`: the tenant's incidents, newest first.
#[tracing::instrument(name = "incidents.list", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list(
    spine: &Spine,
    ctx: &CallContext,
    filter: IncidentFilter,
    page: PageRequest,
) -> Result<Page<Incident>, Error> {
    Ok(spine.read().await?.incidents().list(ctx.tenant.id, &filter, &page).await?)
}

/// `incidents.get`: one incident.
#[tracing::instrument(name = "incidents.get", skip_all, fields(tenant = %ctx.tenant.id, incident = %id))]
pub async fn get(spine: &Spine, ctx: &CallContext, id: IncidentId) -> Result<IncidentDetail, Error> {
    let (store, tenant) = (spine.read().await?, ctx.tenant.id);
    let found = store.incidents().find_incident(tenant, id).await?;
    let incident = found.ok_or_else(|| Error::not_found("incident", id))?;
    let timeline = store.incidents().events_of(tenant, id, JOINED).await?;
    let runs = affected(&store, tenant, id, &PageRequest::default()).await?;
    let rule = match incident.policy_id.as_deref().and_then(|id| id.parse::<RuleId>().ok()) {
        Some(rule) => store.policies().find_rule(tenant, rule).await?,
        None => None,
    };
    let limit = match incident.limit_id {
        Some(limit) => store.policies().find_limit(tenant, limit).await?,
        None => None,
    };
    Ok(IncidentDetail { incident, timeline, runs, rule, limit })
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

async fn affected(
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

/// `incidents.by_run`: the incidents that a run opened and those that it joined, in the order in which it did.
#[tracing::instrument(name = "incidents.by_run", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn by_run(spine: &Spine, ctx: &CallContext, run: RunId) -> Result<Vec<RunIncident>, Error> {
    let store = spine.read().await?;
    let found = store.activity().find_run(ctx.tenant.id, run).await?;
    found.ok_or_else(|| Error::not_found("run", run))?;
    Ok(store.incident_runs().by_run(ctx.tenant.id, run).await?)
}
