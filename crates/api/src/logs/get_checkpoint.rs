//! `GET /checkpoints/{log}`: how long a log is and what its root is, signed.

use axum::extract::State;
use orchestrator::{Spine, handlers::logs};

use super::proof_view::CheckpointView;
use crate::{
    Problem,
    extract::{Caller, Id, Inspects, Json, roles},
    view::words::LogName,
};

/// Get the newest checkpoint of a log; it is signed now if the log has grown since.
#[utoipa::path(get, path = "/checkpoints/{log}", operation_id = "logs.get_checkpoint", tag = "logs",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("log" = LogName, Path, description = "Which log.")),
    responses((status = 200, description = "The checkpoint.", body = CheckpointView)))]
pub(super) async fn get_checkpoint(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(log): Id<LogName>,
) -> Result<Json<CheckpointView>, Problem> {
    let checkpoint = logs::get_checkpoint(&spine, caller.context(), log.known()).await?;
    Ok(Json(checkpoint.into()))
}
