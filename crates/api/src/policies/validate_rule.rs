//! `POST /rules/validate`: whether a condition would be taken.

use orchestrator::handlers::policies::{self, Validation};
use serde::Serialize;
use utoipa::ToSchema;

use super::rule_body::CheckBody;
use crate::{
    Problem,
    extract::{Caller, Json, SetsPolicy, roles},
    problem::FieldErrorView,
};

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Validation)]
pub(super) struct ValidationView {
    /// Whether a rule with this condition would be taken.
    valid: bool,
    /// The condition as Cedar, as it would be stored.
    condition: Option<String>,
    /// The whole Cedar policy that it makes.
    policy: Option<String>,
    /// What is wrong with it, with the place.
    errors: Vec<FieldErrorView>,
}

impl From<Validation> for ValidationView {
    fn from(found: Validation) -> Self {
        let errors = found.errors.iter().map(FieldErrorView::of).collect();
        Self { valid: found.valid, condition: found.condition, policy: found.policy, errors }
    }
}

/// Look at a condition. Nothing is stored.
#[utoipa::path(post, path = "/rules/validate", operation_id = "policies.validate_rule", tag = "policies",
    extensions(("x-roles" = json!(roles::<SetsPolicy>()))),
    request_body = CheckBody,
    responses((status = 200, description = "Whether it would be taken, or what is wrong with it.",
        body = ValidationView)))]
pub(super) async fn validate_rule(
    caller: Caller<SetsPolicy>,
    Json(body): Json<CheckBody>,
) -> Result<Json<ValidationView>, Problem> {
    let found = policies::validate_rule(caller.context(), body.check())?;
    Ok(Json(found.into()))
}
