//! `GET /rules/{id}/enforcements`: what a rule did.

use axum::extract::State;
use models::ids::RuleId;
use orchestrator::{Spine, handlers::policies};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Id, Json, List, NoParams, PageParams, Views, roles},
    view::{Kept, PageView, words},
};

/// A verdict that was not a plain ALLOW, and what was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enforcement)]
pub(super) struct EnforcementView {
    enforcement_id: String,
    policy_id: String,
    #[schema(value_type = words::PolicyKind)]
    policy_kind: &'static str,
    run_id: Option<String>,
    step_index: Option<u64>,
    incident_id: Option<String>,
    #[schema(value_type = words::ActionTaken)]
    action_taken: &'static str,
    details: Kept,
    triggered_at: String,
}

/// List what a rule did, newest first.
#[utoipa::path(get, path = "/rules/{id}/enforcements", operation_id = "policies.rule_enforcements", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The rule."), PageParams),
    responses((status = 200, description = "A page of enforcements.", body = PageView<EnforcementView>)))]
pub(super) async fn rule_enforcements(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<RuleId>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<EnforcementView>>, Problem> {
    let page = policies::rule_enforcements(&spine, caller.context(), id, page).await?;
    Ok(Json(PageView::of(page.map(|record| EnforcementView {
        enforcement_id: record.enforcement_id,
        policy_id: record.policy_id,
        policy_kind: record.policy_kind.as_str(),
        run_id: record.run_id,
        step_index: record.step_index,
        incident_id: record.incident_id,
        action_taken: record.action_taken.as_str(),
        details: record.details.into(),
        triggered_at: record.triggered_at,
    }))))
}
