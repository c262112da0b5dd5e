//! `POST /runs/{run_id}/steps`: records a step and enforces.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::{step_body::StepBody, step_view::RecordedView};
use crate::{
    Problem,
    extract::{AgentWrites, Caller, Id, IdempotencyKey, Json, roles},
};

/// Record a step.
///
/// The verdict is answered after it is committed. A refusal is `step_halted` or `rate_limited`.
#[utoipa::path(post, path = "/runs/{run_id}/steps", operation_id = "activity.record", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = StepBody,
    responses((status = 200, description = "The step counts.", body = RecordedView)))]
pub(super) async fn record(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    Id(run): Id<RunId>,
    key: IdempotencyKey,
    Json(body): Json<StepBody>,
) -> Result<Json<RecordedView>, Problem> {
    let recorded = activity::record(&spine, caller.context(), run, body.report(key)?).await?;
    Ok(Json(recorded.into()))
}
