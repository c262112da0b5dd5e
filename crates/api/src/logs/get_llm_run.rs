//! `GET /llm-runs/{id}`: one call to a model.

use axum::extract::State;
use models::ids::LlmRunId;
use orchestrator::{Spine, handlers::logs};

use super::{llm_run_view::LlmRunView, metadata_view::LoggedView};
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get the record of a call to a model.
#[utoipa::path(get, path = "/llm-runs/{id}", operation_id = "logs.get_llm_run", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The record.")),
    responses((status = 200, description = "The record.", body = LoggedView<LlmRunView>)))]
pub(super) async fn get_llm_run(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<LlmRunId>,
) -> Result<Json<LoggedView<LlmRunView>>, Problem> {
    let record = logs::get_llm_run(&spine, caller.context(), id).await?;
    Ok(Json(record.into()))
}
