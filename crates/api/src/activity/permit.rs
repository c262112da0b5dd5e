//! `POST /runs/{run_id}/permits`: asks before an act.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::{body::PermitBody, step_view::PermitView};
use crate::{
    Problem,
    answer::Created,
    extract::{AgentWrites, Caller, Id, IdempotencyKey, Json, roles},
};

/// Ask before acting.
///
/// A grant reserves what the step is estimated to use, of budgets and of the limits on its run, serves once, and
/// lapses. A refusal is `step_halted` or `rate_limited`.
#[utoipa::path(post, path = "/runs/{run_id}/permits", operation_id = "activity.permit", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = PermitBody,
    responses((status = 201, description = "The permit is granted.", body = PermitView)))]
pub(super) async fn permit(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    Id(run): Id<RunId>,
    key: IdempotencyKey,
    Json(body): Json<PermitBody>,
) -> Result<Created<PermitView>, Problem> {
    let granted = activity::permit(&spine, caller.context(), run, body.request(key)?).await?;
    Ok(Created { location: None, body: granted.into() })
}
