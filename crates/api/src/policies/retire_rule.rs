//! `POST /rules/{id}/retire`: takes a rule out of force, for good.

use axum::extract::State;
use models::ids::RuleId;
use orchestrator::{Spine, handlers::policies};

use super::{rule_body::RetireBody, rule_view::RuleView};
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Id, Json, SetsPolicy, WithKey, roles},
};

/// Retire a rule. Runs that start after the answer are not bound by it. Final.
#[utoipa::path(post, path = "/rules/{id}/retire", operation_id = "policies.retire_rule", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    params(("id" = String, Path, description = "The rule.")),
    request_body = RetireBody,
    responses((status = 200, description = "The retired rule.", body = RuleView)))]
pub(super) async fn retire_rule(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Id(id): Id<RuleId>,
    Json(WithKey { body, key }): Json<WithKey<RetireBody>>,
) -> Result<Versioned<Json<RuleView>>, Problem> {
    let caller = caller.with_key(key)?;
    let retired = policies::retire_rule(&spine, caller.context(), id, body.into()).await?;
    Ok(Versioned { version: retired.rule.definition.version, answer: Json(retired.into()) })
}
