//! Whether a condition would be taken, without taking it.

use engines::policies::cedar_of;
use proof::words::BindAt;
use rules::condition::policy_text;
use serde_json::Value;

use crate::{
    context::CallContext,
    errors::{Error, FieldError},
    handlers::shared::invalid,
};

/// A condition to be looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleCheck {
    /// Where the rule would be bound; STEP_POST where not given.
    pub bind_at: Option<BindAt>,
    /// Cedar. Either this or `conditions`.
    pub condition: Option<String>,
    /// The JSON form.
    pub conditions: Option<Value>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Whether a rule with this condition would be taken.
    pub valid: bool,
    /// The condition as Cedar, as it would be stored.
    pub condition: Option<String>,
    /// The whole Cedar policy that it makes.
    pub policy: Option<String>,
    /// What is wrong with it, with the place.
    pub errors: Vec<FieldError>,
}

/// `policies.validate_rule`: whether a condition would be taken. Reads nothing and writes nothing.
#[tracing::instrument(name = "policies.validate_rule", skip_all, fields(tenant = %ctx.tenant.id))]
pub fn validate_rule(ctx: &CallContext, check: RuleCheck) -> Result<Validation, Error> {
    let bind_at = check.bind_at.unwrap_or(BindAt::StepPost);
    match cedar_of(bind_at, check.condition, check.conditions.as_ref()) {
        Ok(Some(cedar)) => Ok(Validation {
            valid: true,
            policy: Some(policy_text("draft", bind_at, &cedar)),
            condition: Some(cedar),
            errors: Vec::new(),
        }),
        Ok(None) => Err(Error::invalid("/condition", "is needed: a Cedar expression, or `conditions`")),
        Err(refused) => match invalid(refused) {
            Error::Invalid(errors) => Ok(Validation { valid: false, condition: None, policy: None, errors }),
            other => Err(other),
        },
    }
}
