//! `POST /{id}/requeue`: somebody wants it done after all.

use axum::extract::State;
use models::ids::JobId;
use orchestrator::{Spine, handlers::jobs};

use super::{body::MoveBody, view::JobView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Put a job back in the queue that failed, was cancelled, or lies in the dead letter, with all its attempts.
#[utoipa::path(post, path = "/{id}/requeue", operation_id = "jobs.requeue", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("id" = String, Path, description = "The job.")),
    request_body = Option<MoveBody>,
    responses((status = 200, description = "The job, as it stands now.", body = JobView)))]
pub(super) async fn requeue(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(id): Id<JobId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<MoveBody>>,
) -> Result<Json<JobView>, Problem> {
    let caller = caller.with_key(key)?;
    let job = jobs::requeue(&spine, caller.context(), id, body.reason).await?;
    Ok(Json(job.into()))
}
