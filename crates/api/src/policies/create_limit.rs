//! `POST /limits`: makes a limit.

use axum::extract::State;
use orchestrator::{Spine, handlers::policies};

use super::{limit_body::LimitBody, limit_view::LimitView};
use crate::{
    Problem,
    answer::{Created, Versioned},
    extract::{Caller, Json, SetsPolicy, WithKey, roles},
    paths::POLICIES,
};

/// Make a limit. Runs that start after the answer are bound by it.
#[utoipa::path(post, path = "/limits", operation_id = "policies.create_limit", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    request_body = LimitBody,
    responses((status = 201, description = "The limit, as it is stored.", body = LimitView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn create_limit(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Json(WithKey { body, key }): Json<WithKey<LimitBody>>,
) -> Result<Versioned<Created<LimitView>>, Problem> {
    let caller = caller.with_key(key)?;
    let made = policies::create_limit(&spine, caller.context(), body.draft()).await?;
    let (version, id) = (made.limit.definition.version, &made.limit.definition.limit_id);
    let location = Some(format!("{POLICIES}/limits/{id}"));
    Ok(Versioned { version, answer: Created { location, body: made.into() } })
}
