//! `GET /rules`: the tenant's rules.

use axum::extract::State;
use models::policies::RuleFilter;
use orchestrator::{Spine, handlers::policies};
use serde::Deserialize;
use utoipa::IntoParams;

use super::rule_view::RuleView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of rules.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleParams {
    status: Option<words::RuleStatus>,
    enforcement_mode: Option<words::EnforcementMode>,
    rule_type: Option<words::RuleType>,
    scope: Option<words::Scope>,
    source: Option<words::RuleSource>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for RuleParams {}

impl RuleParams {
    fn filter(self) -> RuleFilter {
        RuleFilter {
            status: known(self.status),
            enforcement_mode: known(self.enforcement_mode),
            rule_type: known(self.rule_type),
            scope: known(self.scope),
            source: known(self.source),
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        }
    }
}

/// List rules, newest first.
#[utoipa::path(get, path = "/rules", operation_id = "policies.list_rules", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(RuleParams, PageParams),
    responses((status = 200, description = "A page of rules.", body = PageView<RuleView>)))]
pub(super) async fn list_rules(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<RuleParams>,
) -> Result<Json<PageView<RuleView>>, Problem> {
    let page = policies::list_rules(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
