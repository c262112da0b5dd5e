//! `POST /runs/{run_id}/abort`: its agent gives a run up.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::{body::AbortBody, run_view::RunView};
use crate::{
    Problem,
    extract::{AgentWrites, Caller, Id, Json, OptionalJson, WithKey, roles},
};

/// Give a run up, and seal it.
#[utoipa::path(post, path = "/runs/{run_id}/abort", operation_id = "activity.abort", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = Option<AbortBody>,
    responses((status = 200, description = "The sealed run.", body = RunView)))]
pub(super) async fn abort(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    Id(run): Id<RunId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<AbortBody>>,
) -> Result<Json<RunView>, Problem> {
    let caller = caller.with_key(key)?;
    let run = activity::abort(&spine, caller.context(), run, body.reason).await?;
    Ok(Json(run.into()))
}
