//! One incident, and all that it is about.

use models::{
    ids::{IncidentId, RuleId},
    incidents::{Incident, IncidentEvent},
    page::{Page, PageRequest},
    policies::{Limit, Rule},
};

use super::runs::{AffectedRun, affected};
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
