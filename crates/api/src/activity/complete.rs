//! `POST /runs/{run_id}/complete`: its agent ends a run.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::{body::CompleteBody, run_view::RunView};
use crate::{
    Problem,
    extract::{AgentWrites, Caller, Id, Json, WithKey, roles},
};

/// End a run, and seal it.
///
/// Again with the same status: the same answer. Otherwise `run_ended`.
#[utoipa::path(post, path = "/runs/{run_id}/complete", operation_id = "activity.complete", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = CompleteBody,
    responses((status = 200, description = "The sealed run.", body = RunView)))]
pub(super) async fn complete(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    Id(run): Id<RunId>,
    Json(WithKey { body, key }): Json<WithKey<CompleteBody>>,
) -> Result<Json<RunView>, Problem> {
    let caller = caller.with_key(key)?;
    let run = activity::complete(&spine, caller.context(), run, body.how()?).await?;
    Ok(Json(run.into()))
}
