//! What every definition must hold to, whoever makes it.

use models::policies::Amount;
use proof::{
    canonical::MAX_INTEGER,
    definitions::{LimitDefinition, RuleDefinition},
    words::{LimitType, Scope},
};
use rules::{
    fields::{FieldError, FieldErrors},
    limits::validate_limit,
};

const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 4_000;
/// Far beyond any list of rules, and exact in every JSON reader.
const MAX_PRECEDENCE: i64 = 1_000_000;
const MILLION: u128 = 1_000_000;

/// Whether values of this type are micro-USD inside, and USD to a caller.
#[must_use]
pub const fn counts_money(limit_type: LimitType) -> bool {
    matches!(limit_type, LimitType::CostUsd | LimitType::RunCostUsd | LimitType::StepCostUsd)
}

/// Collects the fields that are refused.
#[derive(Default)]
pub(super) struct Faults(Vec<FieldError>);

impl Faults {
    pub(super) fn refuse(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), message: message.into() });
    }

    pub(super) fn refuse_if(&mut self, wrong: bool, pointer: &str, message: impl Into<String>) {
        if wrong {
            self.refuse(pointer, message);
        }
    }

    /// A text that both stores keep: U+0000 has no place in one of them.
    fn text(&mut self, pointer: &str, text: &str, longest: usize) {
        self.refuse_if(text.contains('\0'), pointer, "must not contain U+0000");
        self.refuse_if(text.chars().count() > longest, pointer, format!("at most {longest} characters"));
    }

    fn needed(&mut self, pointer: &str, text: &str, longest: usize) {
        self.refuse_if(text.trim().is_empty(), pointer, "must not be empty");
        self.text(pointer, text, longest);
    }

    /// What was found, if nothing is wrong with it.
    pub(super) fn take<T>(&mut self, found: Result<T, FieldErrors>) -> Option<T> {
        found.map_err(|errors| self.0.extend(errors.0)).ok()
    }

    pub(super) fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(FieldErrors(self.0)) }
    }
}

/// Names every field of a rule that is refused. Its condition was checked when it was read.
pub(super) fn rule(rule: &RuleDefinition, faults: &mut Faults) {
    faults.needed("/name", &rule.name, MAX_NAME);
    faults.text("/description", &rule.description, MAX_TEXT);
    let range = format!("must be from -{MAX_PRECEDENCE} to {MAX_PRECEDENCE}");
    faults.refuse_if(rule.precedence.unsigned_abs() > MAX_PRECEDENCE.unsigned_abs(), "/precedence", range);
    let named = rule.scope_id.as_deref().is_some_and(|id| !id.trim().is_empty());
    match rule.scope {
        Scope::Provider => {
            faults.refuse("/scope", "PROVIDER is for limits: a rule reads context.step.provider");
        }
        Scope::Project | Scope::Agent => {
            faults.refuse_if(!named, "/scope_id", format!("is needed for scope {}", rule.scope));
        }
        Scope::Global | Scope::Tenant => {
            let message = format!("has no meaning for scope {}", rule.scope);
            faults.refuse_if(rule.scope_id.is_some(), "/scope_id", message);
        }
    }
    scope_id(rule.scope_id.as_deref(), faults);
}

/// Names every field of a limit that is refused.
pub(super) fn limit(limit: &LimitDefinition, faults: &mut Faults) {
    faults.refuse_if(limit.name.contains('\0'), "/name", "must not contain U+0000");
    let named = limit.degrade_to.as_deref().unwrap_or_default();
    faults.refuse_if(named.contains('\0'), "/degrade_to", "must not contain U+0000");
    scope_id(limit.scope_id.as_deref(), faults);
    let _ = faults.take(validate_limit(limit));
}

fn scope_id(id: Option<&str>, faults: &mut Faults) {
    if let Some(id) = id {
        faults.text("/scope_id", id, MAX_NAME);
    }
}

/// The number in the unit inside: micro-USD for money, whole numbers for all else. Beyond what a record can hold it
/// is `u64::MAX`, which [`validate_limit`] refuses.
pub(super) fn inner(amount: Amount, limit_type: LimitType, faults: &mut Faults) -> u64 {
    let whole = if counts_money(limit_type) {
        amount.millionths
    } else {
        let message = format!("must be a whole number for {limit_type}");
        faults.refuse_if(!amount.millionths.is_multiple_of(MILLION), "/max_value", message);
        amount.millionths / MILLION
    };
    u64::try_from(whole).ok().filter(|value| *value <= MAX_INTEGER).unwrap_or(u64::MAX)
}

/// A person's reason, which must be one.
pub(super) fn reason(reason: &str) -> Result<(), FieldErrors> {
    let mut faults = Faults::default();
    faults.needed("/reason", reason, MAX_TEXT);
    faults.into_result()
}
