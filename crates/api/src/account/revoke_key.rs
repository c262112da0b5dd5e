//! `POST /keys/{id}/revoke`: a key opens nothing any more.

use axum::extract::State;
use models::ids::KeyId;
use orchestrator::{Spine, handlers::account};

use super::key_view::KeyView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, Manages, roles},
};

/// Revoke a key: here at once, on other replicas within a second. Final.
#[utoipa::path(post, path = "/keys/{id}/revoke", operation_id = "account.revoke_key", tag = "account",
    extensions(("x-roles" = json!(roles::<Manages>()))),
    params(("id" = String, Path, description = "The key.")),
    responses((status = 200, description = "The revoked key.", body = KeyView)))]
pub(super) async fn revoke_key(
    State(spine): State<Spine>,
    caller: Caller<Manages>,
    Id(id): Id<KeyId>,
) -> Result<Json<KeyView>, Problem> {
    let key = account::revoke_key(&spine, caller.context(), id).await?;
    Ok(Json(key.into()))
}
