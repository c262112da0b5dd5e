//! `GET /llm-runs`: the calls to models that a run made.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{llm_run_view::LlmRunView, metadata_view::LoggedView};
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::PageView,
};

/// Whose calls.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LlmRunParams {
    /// The run.
    run_id: String,
}

impl Params for LlmRunParams {}

/// List the calls to models of a run, newest first.
#[utoipa::path(get, path = "/llm-runs", operation_id = "logs.list_llm_runs", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(LlmRunParams, PageParams),
    responses((status = 200, description = "A page of calls.", body = PageView<LoggedView<LlmRunView>>)))]
pub(super) async fn list_llm_runs(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<LlmRunParams>,
) -> Result<Json<PageView<LoggedView<LlmRunView>>>, Problem> {
    let run: RunId = filter.run_id.parse().map_err(|_| Problem::not_found("run", &filter.run_id))?;
    let page = logs::list_llm_runs(&spine, &caller, run, page).await?;
    Ok(Json(page.into()))
}
