//! `GET /limits/{id}`: one limit.

use axum::extract::State;
use models::ids::LimitId;
use orchestrator::{Spine, handlers::policies};

use super::limit_view::LimitView;
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get a limit.
#[utoipa::path(get, path = "/limits/{id}", operation_id = "policies.get_limit", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The limit.")),
    responses((status = 200, description = "The limit.", body = LimitView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn get_limit(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<LimitId>,
) -> Result<Versioned<Json<LimitView>>, Problem> {
    let found = policies::get_limit(&spine, caller.context(), id).await?;
    Ok(Versioned { version: found.limit.definition.version, answer: Json(found.into()) })
}
