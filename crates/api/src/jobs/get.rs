//! `GET /{id}`: one job.

use axum::extract::State;
use models::ids::JobId;
use orchestrator::{Spine, handlers::jobs};

use super::view::JobDetailView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get a job with its attempts that failed and what happened to it.
#[utoipa::path(get, path = "/{id}", operation_id = "jobs.get", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobDetailView)))]
pub(super) async fn get(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<JobId>,
) -> Result<Json<JobDetailView>, Problem> {
    let detail = jobs::get(&spine, caller.context(), id).await?;
    Ok(Json(detail.into()))
}
