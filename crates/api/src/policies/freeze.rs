//! `POST /freeze`: lets an agent, or all of them, do nothing more.

use axum::extract::State;
use orchestrator::{Spine, handlers::policies};

use super::freeze_view::{FreezeBody, FreezeView};
use crate::{
    Problem,
    answer::Created,
    extract::{Caller, Json, SetsPolicy, WithKey, roles},
};

/// Freeze an agent, or the whole tenant: no run of it begins, and running ones refuse their next step.
#[utoipa::path(post, path = "/freeze", operation_id = "policies.freeze", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    request_body = FreezeBody,
    responses((status = 201, description = "The freeze, in force on every replica; of a key that \
        was sent before, the answer of then, even if the freeze was lifted since.", body = FreezeView)))]
pub(super) async fn freeze(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Json(WithKey { body, key }): Json<WithKey<FreezeBody>>,
) -> Result<Created<FreezeView>, Problem> {
    let caller = caller.with_key(key)?;
    let frozen = policies::freeze(&spine, caller.context(), body.agent_id, body.reason).await?;
    Ok(Created { location: None, body: frozen.into() })
}
