//! `POST /runs/{run_id}/kill`: a person ends a run.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{Spine, handlers::activity};

use super::{body::KillBody, intervention_view::KilledView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Kill a run: it is HALTED and sealed at once, and nothing that it sends is stored any more, but spans of a trace.
///
/// `outcome` is what is known: `UNACKED` until the agent's next call or its open stream has told it (read
/// `/runs/{run_id}/interventions` again), `ENDED` where the run had ended already and nothing was done.
#[utoipa::path(post, path = "/runs/{run_id}/kill", operation_id = "activity.kill", tag = "activity",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = Option<KillBody>,
    responses((status = 200, description = "What is known of the kill, and the run.", body = KilledView)))]
pub(super) async fn kill(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(run): Id<RunId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<KillBody>>,
) -> Result<Json<KilledView>, Problem> {
    let caller = caller.with_key(key)?;
    let killed = activity::kill(&spine, caller.context(), run, body.reason).await?;
    Ok(Json(killed.into()))
}
