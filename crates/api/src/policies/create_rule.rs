//! `POST /rules`: makes a rule.

use axum::extract::State;
use orchestrator::{Spine, handlers::policies};

use super::{rule_body::RuleBody, rule_view::RuleView};
use crate::{
    Problem,
    answer::{Created, Versioned},
    extract::{Caller, Json, SetsPolicy, WithKey, roles},
    paths::POLICIES,
};

/// Make a rule. Runs that start after the answer are bound by it.
#[utoipa::path(post, path = "/rules", operation_id = "policies.create_rule", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    request_body = RuleBody,
    responses((status = 201, description = "The rule, as it is stored.", body = RuleView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn create_rule(
    State(spine): State<Spine>,
    caller: Caller<SetsPolicy>,
    Json(WithKey { body, key }): Json<WithKey<RuleBody>>,
) -> Result<Versioned<Created<RuleView>>, Problem> {
    let caller = caller.with_key(key)?;
    let made = policies::create_rule(&spine, caller.context(), body.draft()).await?;
    let (version, id) = (made.rule.definition.version, &made.rule.definition.rule_id);
    let location = Some(format!("{POLICIES}/rules/{id}"));
    Ok(Versioned { version, answer: Created { location, body: made.into() } })
}
