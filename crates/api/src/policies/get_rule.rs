//! `GET /rules/{id}`: one rule.

use axum::extract::State;
use models::ids::RuleId;
use orchestrator::{Spine, handlers::policies};

use super::rule_view::RuleView;
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get a rule.
#[utoipa::path(get, path = "/rules/{id}", operation_id = "policies.get_rule", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The rule.")),
    responses((status = 200, description = "The rule.", body = RuleView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn get_rule(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<RuleId>,
) -> Result<Versioned<Json<RuleView>>, Problem> {
    let found = policies::get_rule(&spine, caller.context(), id).await?;
    Ok(Versioned { version: found.rule.definition.version, answer: Json(found.into()) })
}
