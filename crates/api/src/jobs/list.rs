//! `GET /`: the tenant's jobs.

use axum::extract::State;
use models::jobs::JobFilter;
use orchestrator::{Spine, handlers::jobs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::JobView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView,
        words::{self, known},
    },
};

/// The filters of the list of jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JobParams {
    state: Option<words::JobState>,
    kind: Option<words::JobKind>,
}

impl Params for JobParams {}

impl JobParams {
    fn filter(self) -> JobFilter {
        JobFilter { state: known(self.state), kind: known(self.kind) }
    }
}

/// List jobs, newest first.
#[utoipa::path(get, path = "", operation_id = "jobs.list", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(JobParams, PageParams),
    responses((status = 200, description = "A page of jobs.", body = PageView<JobView>)))]
pub(super) async fn list(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<JobParams>,
) -> Result<Json<PageView<JobView>>, Problem> {
    let page = jobs::list(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
