//! Reading incidents.

use models::{
    activity::Run,
    ids::{IncidentId, RuleId, RunId},
    incidents::{Incident, IncidentEvent, IncidentFilter},
    page::{Page, PageRequest},
    policies::{Limit, Rule},
};

use crate::{context::CallContext, errors::Error, spine::Spine};

/// An incident with its timeline, the run it came from, and the rule or limit that triggered it.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentDetail {
    /// The incident as it stands.
    pub incident: Incident,
    /// What happened to it, oldest first.
    pub timeline: Vec<IncidentEvent>,
    /// The run it came from, if one.
    pub run: Option<Run>,
    /// The rule that fired, if one did.
    pub rule: Option<Rule>,
    /// The limit that was passed, if one was.
    pub limit: Option<Limit>,
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
    let timeline = store.incidents().events_of(tenant, id).await?;
    let run = match incident.source_run_id {
        Some(run) => store.activity().find_run(tenant, run).await?,
        None => None,
    };
    let rule = match incident.policy_id.as_deref().and_then(|id| id.parse::<RuleId>().ok()) {
        Some(rule) => store.policies().find_rule(tenant, rule).await?,
        None => None,
    };
    let limit = match incident.limit_id {
        Some(limit) => store.policies().find_limit(tenant, limit).await?,
        None => None,
    };
    Ok(IncidentDetail { incident, timeline, run, rule, limit })
}

/// `incidents.by_run`: the incidents that a run caused, in the order in which they were opened.
#[tracing::instrument(name = "incidents.by_run", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn by_run(spine: &Spine, ctx: &CallContext, run: RunId) -> Result<Vec<Incident>, Error> {
    let store = spine.read().await?;
    let found = store.activity().find_run(ctx.tenant.id, run).await?;
    found.ok_or_else(|| Error::not_found("run", run))?;
    Ok(store.incident_runs().by_run(ctx.tenant.id, run).await?)
}
