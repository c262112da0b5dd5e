//! `POST /{id}/cancel`: somebody wants it done no more.

use axum::extract::State;
use models::ids::JobId;
use orchestrator::{Spine, handlers::jobs};

use super::{body::MoveBody, view::JobView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Cancel a job. A server that is at it is told, and writes nothing more; of one that comes round again for ever, the
/// round that runs is over.
#[utoipa::path(post, path = "/{id}/cancel", operation_id = "jobs.cancel", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("id" = String, Path, description = "The job.")),
    request_body = Option<MoveBody>,
    responses((status = 200, description = "The job, as it stands now.", body = JobView)))]
pub(super) async fn cancel(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(id): Id<JobId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<MoveBody>>,
) -> Result<Json<JobView>, Problem> {
    let caller = caller.with_key(key)?;
    let job = jobs::cancel(&spine, caller.context(), id, body.reason).await?;
    Ok(Json(job.into()))
}
