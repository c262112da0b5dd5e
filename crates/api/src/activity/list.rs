//! `GET /runs`: the tenant's runs.

use axum::extract::State;
use models::activity::RunFilter;
use orchestrator::{Spine, handlers::activity};
use serde::Deserialize;
use utoipa::IntoParams;

use super::run_view::RunView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, ReadsRuns, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RunParams {
    /// `LIVE` or `COMPLETED`.
    state: Option<words::RunState>,
    status: Option<words::RunStatus>,
    /// Whether its risk_level is not NORMAL, or there is an incident, or a policy violation.
    risk: Option<bool>,
    risk_level: Option<words::RiskLevel>,
    agent_id: Option<String>,
    project_id: Option<String>,
    /// A conversation, or a session, as spans name it.
    conversation_id: Option<String>,
    source: Option<words::RunSource>,
    provider_type: Option<String>,
    is_synthetic: Option<bool>,
    started_after: Option<Time>,
    started_before: Option<Time>,
    integrity_status: Option<words::IntegrityStatus>,
    evidence_health: Option<words::EvidenceHealth>,
    latency_bucket: Option<words::LatencyBucket>,
    assurance: Option<words::Assurance>,
}

impl Params for RunParams {}

impl RunParams {
    fn filter(self) -> RunFilter {
        RunFilter {
            state: known(self.state),
            status: known(self.status),
            risk: self.risk,
            risk_level: known(self.risk_level),
            agent_id: self.agent_id,
            project_id: self.project_id,
            conversation_id: self.conversation_id,
            source: known(self.source),
            provider_type: self.provider_type,
            is_synthetic: self.is_synthetic,
            started_after: self.started_after.map(Into::into),
            started_before: self.started_before.map(Into::into),
            integrity_status: known(self.integrity_status),
            evidence_health: known(self.evidence_health),
            latency_bucket: known(self.latency_bucket),
            assurance: known(self.assurance),
            key_id: None,
        }
    }
}

/// List runs, newest first. An agent gets those made with its own key.
#[utoipa::path(get, path = "/runs", operation_id = "activity.list", tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(RunParams, PageParams),
    responses((status = 200, description = "A page of runs.", body = PageView<RunView>)))]
pub(super) async fn list(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    List { filter, page }: List<RunParams>,
) -> Result<Json<PageView<RunView>>, Problem> {
    let page = activity::list(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
