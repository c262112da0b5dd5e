//! `GET /runs/{run_id}/interventions`: what people did to a run.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};
use serde::Serialize;
use utoipa::ToSchema;

use super::intervention_view::InterventionView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, ReadsRuns, roles},
};

/// What people did to a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InterventionsOfRun {
    run_id: String,
    /// Newest first, all of them: kills that were asked for, freezes that it met.
    items: Vec<InterventionView>,
}

/// List what people did to a run, each with what is known of its effect.
#[utoipa::path(get, path = "/runs/{run_id}/interventions", operation_id = "activity.interventions",
    tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "Kills that were asked for, freezes that it met.",
        body = InterventionsOfRun)))]
pub(super) async fn interventions(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    Id(run): Id<RunId>,
) -> Result<Json<InterventionsOfRun>, Problem> {
    let found = activity::interventions(&spine, caller.context(), run).await?;
    let items = found.into_iter().map(InterventionView::from).collect();
    Ok(Json(InterventionsOfRun { run_id: run.to_string(), items }))
}
