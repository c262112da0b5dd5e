//! `DELETE /freeze`: lifts a freeze.

use axum::extract::State;
use orchestrator::{Spine, handlers::policies};

use super::freeze_view::UnfreezeParams;
use crate::{
    Problem,
    activity::InterventionView,
    extract::{Caller, Json, Query, SetsPolicy, roles},
};

/// Lift the freeze of an agent, or that of the whole tenant. Its runs go on where they were.
#[utoipa::path(delete, path = "/freeze", operation_id = "policies.unfreeze", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    params(UnfreezeParams),
    responses((status = 200, description = "The end of the freeze.", body = InterventionView)))]
pub(super) async fn unfreeze(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Query(which): Query<UnfreezeParams>,
) -> Result<Json<InterventionView>, Problem> {
    let lifted = policies::unfreeze(&spine, caller.context(), which.agent_id, which.reason).await?;
    Ok(Json(lifted.into()))
}
