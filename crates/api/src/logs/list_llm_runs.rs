//! `GET /llm-runs`: the calls to models.

use axum::extract::State;
use models::logs::LlmRunFilter;
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{llm_run_view::LlmRunView, metadata_view::LoggedView};
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles, run_of_filter},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of calls.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LlmRunParams {
    run_id: Option<String>,
    provider: Option<String>,
    /// As the step has it: the model that answered.
    model: Option<String>,
    execution_status: Option<words::ExecutionStatus>,
    is_synthetic: Option<bool>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for LlmRunParams {}

impl LlmRunParams {
    fn filter(self) -> Result<LlmRunFilter, Problem> {
        Ok(LlmRunFilter {
            run_id: self.run_id.as_deref().map(run_of_filter).transpose()?,
            provider: self.provider,
            model: self.model,
            execution_status: known(self.execution_status),
            is_synthetic: self.is_synthetic,
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        })
    }
}

/// List calls to models, newest first: each once, however many steps tell of it.
#[utoipa::path(get, path = "/llm-runs", operation_id = "logs.list_llm_runs", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(LlmRunParams, PageParams),
    responses((status = 200, description = "A page of calls.", body = PageView<LoggedView<LlmRunView>>)))]
pub(super) async fn list_llm_runs(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<LlmRunParams>,
) -> Result<Json<PageView<LoggedView<LlmRunView>>>, Problem> {
    let page = logs::list_llm_runs(&spine, caller.context(), filter.filter()?, page).await?;
    Ok(Json(page.into()))
}
