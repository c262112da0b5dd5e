//! `PATCH /limits/{id}`: changes a limit.

use axum::extract::State;
use models::ids::LimitId;
use orchestrator::{Spine, handlers::policies};

use super::{limit_body::LimitChangeBody, limit_view::LimitView};
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, IfMatch, Json, SetsPolicy, WithKey, roles},
};

/// Change a limit, on the version that `If-Match` names. It makes a new version.
#[utoipa::path(patch, path = "/limits/{id}", operation_id = "policies.update_limit", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    params(
        ("id" = String, Path, description = "The limit."),
        ("If-Match" = String, Header, pattern = "^\"[0-9]{1,19}\"$",
            description = "The `ETag` of the version that is changed."),
    ),
    request_body = LimitChangeBody,
    responses((status = 200, description = "The limit, as it is stored.", body = LimitView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn update_limit(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    IfMatch(version): IfMatch,
    Id(id): Id<LimitId>,
    Json(WithKey { body, key }): Json<WithKey<LimitChangeBody>>,
) -> Result<Versioned<Json<LimitView>>, Problem> {
    let caller = caller.with_key(key)?;
    let changed = policies::update_limit(&spine, caller.context(), id, version, body.change()).await?;
    Ok(Versioned { version: changed.limit.definition.version, answer: Json(changed.into()) })
}
