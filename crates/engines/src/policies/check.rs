//! What every definition must hold to, whoever makes it.

use models::{bounds, policies::Amount};
use proof::{
    canonical::MAX_INTEGER,
    definitions::{LimitDefinition, RuleDefinition},
    words::{LimitType, Scope},
};
use rules::{fields::FieldErrors, limits::validate_limit};

use crate::check::Check;

/// Far beyond any list of rules, and exact in every JSON reader.
const MAX_PRECEDENCE: i64 = 1_000_000;
const MILLION: u128 = 1_000_000;

/// Whether values of this type are micro-USD inside, and USD to a caller.
#[must_use]
pub const fn counts_money(limit_type: LimitType) -> bool {
    matches!(limit_type, LimitType::CostUsd | LimitType::RunCostUsd | LimitType::StepCostUsd)
}

/// Names every field of a rule that is refused. Its condition was checked when it was read.
pub(super) fn rule(rule: &RuleDefinition, check: &mut Check) {
    check.required("/name", &rule.name);
    check.words("/name", Some(&rule.name), bounds::NAME);
    check.words("/description", Some(&rule.description), bounds::REASON);
    let range = format!("must be from -{MAX_PRECEDENCE} to {MAX_PRECEDENCE}");
    check.refuse_if(rule.precedence.unsigned_abs() > MAX_PRECEDENCE.unsigned_abs(), "/precedence", range);
    let named = rule.scope_id.as_deref().is_some_and(|id| !id.trim().is_empty());
    match rule.scope {
        Scope::Provider => {
            check.refuse("/scope", "PROVIDER is for limits: a rule reads context.step.provider");
        }
        Scope::Project | Scope::Agent => {
            check.refuse_if(!named, "/scope_id", format!("is needed for scope {}", rule.scope));
        }
        Scope::Global | Scope::Tenant => {
            let message = format!("has no meaning for scope {}", rule.scope);
            check.refuse_if(rule.scope_id.is_some(), "/scope_id", message);
        }
    }
    check.words("/scope_id", rule.scope_id.as_deref(), bounds::NAME);
}

/// Names every field of a limit that is refused.
pub(super) fn limit(limit: &LimitDefinition, check: &mut Check) {
    check.words("/name", Some(&limit.name), bounds::NAME);
    check.words("/degrade_to", limit.degrade_to.as_deref(), bounds::NAME);
    check.words("/scope_id", limit.scope_id.as_deref(), bounds::NAME);
    let _ = check.take(validate_limit(limit));
}

/// The number in the unit inside: micro-USD for money, whole numbers for all else. Beyond what a record can hold it
/// is `u64::MAX`, which [`validate_limit`] refuses.
pub(super) fn inner(amount: Amount, limit_type: LimitType, check: &mut Check) -> u64 {
    let whole = if counts_money(limit_type) {
        amount.millionths
    } else {
        let message = format!("must be a whole number for {limit_type}");
        check.refuse_if(!amount.millionths.is_multiple_of(MILLION), "/max_value", message);
        amount.millionths / MILLION
    };
    u64::try_from(whole).ok().filter(|value| *value <= MAX_INTEGER).unwrap_or(u64::MAX)
}

/// A person's reason, which must be one.
pub(super) fn reason(reason: &str) -> Result<(), FieldErrors> {
    let mut check = Check::default();
    check.required("/reason", reason);
    check.words("/reason", Some(reason), bounds::REASON);
    check.done()
}
