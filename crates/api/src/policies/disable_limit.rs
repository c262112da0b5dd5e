//! `POST /limits/{id}/disable`: takes a limit out of force.

use axum::extract::State;
use models::ids::LimitId;
use orchestrator::{Spine, handlers::policies};

use super::limit_view::LimitView;
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, Json, SetsPolicy, roles},
};

/// Disable a limit. Runs that start after the answer are not bound by it.
#[utoipa::path(post, path = "/limits/{id}/disable", operation_id = "policies.disable_limit", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    params(("id" = String, Path, description = "The limit.")),
    responses((status = 200, description = "The disabled limit.", body = LimitView)))]
pub(super) async fn disable_limit(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Id(id): Id<LimitId>,
) -> Result<Versioned<Json<LimitView>>, Problem> {
    let disabled = policies::disable_limit(&spine, caller.context(), id).await?;
    Ok(Versioned { version: disabled.limit.definition.version, answer: Json(disabled.into()) })
}
