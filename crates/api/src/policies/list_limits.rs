//! `GET /limits`: the tenant's limits.

use axum::extract::State;
use models::policies::LimitFilter;
use orchestrator::{Spine, handlers::policies};
use serde::Deserialize;
use utoipa::IntoParams;

use super::limit_view::LimitView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of limits.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitParams {
    status: Option<words::LimitStatus>,
    limit_category: Option<words::LimitCategory>,
    scope: Option<words::Scope>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for LimitParams {}

impl LimitParams {
    fn filter(self) -> LimitFilter {
        LimitFilter {
            status: known(self.status),
            limit_category: known(self.limit_category),
            scope: known(self.scope),
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        }
    }
}

/// List limits, newest first.
#[utoipa::path(get, path = "/limits", operation_id = "policies.list_limits", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(LimitParams, PageParams),
    responses((status = 200, description = "A page of limits.", body = PageView<LimitView>)))]
pub(super) async fn list_limits(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<LimitParams>,
) -> Result<Json<PageView<LimitView>>, Problem> {
    let page = policies::list_limits(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
