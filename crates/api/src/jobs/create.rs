//! `POST /`: somebody wants something done.

use axum::extract::State;
use orchestrator::{Spine, handlers::jobs};

use super::{body::JobBody, view::JobView};
use crate::{
    Problem,
    answer::Created,
    extract::{Caller, Handles, Json, WithKey, roles},
    paths,
};

/// Put a job in the queue: one of the servers does it.
#[utoipa::path(post, path = "", operation_id = "jobs.create", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    request_body = JobBody,
    responses((status = 201, description = "The job, in the queue.", body = JobView)))]
pub(super) async fn create(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Json(WithKey { body, key }): Json<WithKey<JobBody>>,
) -> Result<Created<JobView>, Problem> {
    let caller = caller.with_key(key)?;
    let job = jobs::create(&spine, caller.context(), body.order()).await?;
    Ok(Created { location: Some(format!("{}/{}", paths::JOBS, job.id)), body: job.into() })
}
