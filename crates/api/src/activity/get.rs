//! `GET /runs/{run_id}`: one run.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::run_view::RunView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, ReadsRuns, roles},
};

/// Get a run. An agent gets those made with its own key.
#[utoipa::path(get, path = "/runs/{run_id}", operation_id = "activity.get", tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "The run, as it stands now.", body = RunView)))]
pub(super) async fn get(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    Id(run): Id<RunId>,
) -> Result<Json<RunView>, Problem> {
    let run = activity::get(&spine, caller.context(), run).await?;
    Ok(Json(run.into()))
}
