//! `GET /by-run/{run_id}`: the incidents of a run.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::incidents};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::RunIncidentView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// The incidents of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IncidentsOfRun {
    run_id: String,
    /// In the order in which the run met their causes, all of them.
    items: Vec<RunIncidentView>,
}

/// List the incidents that a run opened, and those that it joined.
#[utoipa::path(get, path = "/by-run/{run_id}", operation_id = "incidents.by_run", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "Its incidents.", body = IncidentsOfRun)))]
pub(super) async fn by_run(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(run): Id<RunId>,
) -> Result<Json<IncidentsOfRun>, Problem> {
    let incidents = incidents::by_run(&spine, caller.context(), run).await?;
    let items = incidents.into_iter().map(RunIncidentView::from).collect();
    Ok(Json(IncidentsOfRun { run_id: run.to_string(), items }))
}
