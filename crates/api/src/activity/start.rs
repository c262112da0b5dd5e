//! `POST /runs`: a run begins, bound to the policies in force.

use axum::extract::State;
use orchestrator::{Spine, handlers::activity};

use super::{body::StartBody, run_view::StartedView};
use crate::{
    Problem,
    answer::Created,
    extract::{AgentWrites, Caller, IdempotencyKey, Json, roles},
    paths::ACTIVITY,
};

/// Start a run.
///
/// Rules bound to RUN_START are evaluated; a refusal is `step_halted`.
#[utoipa::path(post, path = "/runs", operation_id = "activity.start", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    request_body = StartBody,
    responses((status = 201, description = "The run began.", body = StartedView)))]
pub(super) async fn start(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    key: IdempotencyKey,
    Json(body): Json<StartBody>,
) -> Result<Created<StartedView>, Problem> {
    let started = activity::start(&spine, caller.context(), body.request(key)?).await?;
    let location = Some(format!("{ACTIVITY}/runs/{}", started.run.id));
    Ok(Created { location, body: started.into() })
}
