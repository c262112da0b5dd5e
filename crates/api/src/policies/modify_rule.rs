//! `PATCH /rules/{id}`: changes a rule.

use axum::extract::State;
use models::ids::RuleId;
use orchestrator::{Spine, handlers::policies};

use super::{rule_body::RuleChangeBody, rule_view::RuleView};
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, IfMatch, Json, SetsPolicy, WithKey, roles},
};

/// Change a rule, on the version that `If-Match` names. It makes a new version.
#[utoipa::path(patch, path = "/rules/{id}", operation_id = "policies.modify_rule", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    params(
        ("id" = String, Path, description = "The rule."),
        ("If-Match" = String, Header, pattern = "^\"[0-9]{1,19}\"$",
            description = "The `ETag` of the version that is changed."),
    ),
    request_body = RuleChangeBody,
    responses((status = 200, description = "The rule, as it is stored.", body = RuleView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn modify_rule(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    IfMatch(version): IfMatch,
    Id(id): Id<RuleId>,
    Json(WithKey { body, key }): Json<WithKey<RuleChangeBody>>,
) -> Result<Versioned<Json<RuleView>>, Problem> {
    let caller = caller.with_key(key)?;
    let changed = policies::modify_rule(&spine, caller.context(), id, version, body.change()).await?;
    Ok(Versioned { version: changed.rule.definition.version, answer: Json(changed.into()) })
}
