//! What every definition must hold to, whoever makes it.

use models::{bounds, policies::Amount};
use proof::{
    canonical::MAX_INTEGER,
    definitions::{LimitDefinition, RuleDefinition},
    words::{LimitType, Scope},
};
use rules::{fields::FieldErrors, limits::validate_limit};

use crate::check::{Check, holds_secret};

/// Far beyond any list of rules, and exact in every JSON reader.
const MAX_PRECEDENCE: i64 = 1_000_000;
const BILLION: u128 = 1_000_000_000;

/// Whether values of this type are nano-USD inside, and USD to a caller.
#[must_use]
pub const fn counts_money(limit_type: LimitType) -> bool {
    matches!(limit_type, LimitType::CostUsd | LimitType::RunCostUsd | LimitType::StepCostUsd)
}

/// Names every field of a rule that is refused. Its condition was checked when it was read.
pub(super) fn rule(rule: &RuleDefinition, check: &mut Check) {
    check.required("/name", &rule.name);
    check.words("/name", Some(&rule.name), bounds::NAME);
    check.composed("/name", Some(&rule.name));
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
    check.identity("/scope_id", rule.scope_id.as_deref());
    of_agent(rule.scope, rule.scope_id.as_deref(), check);
}

/// What is set for an agent names one: no run has an id that reads as a pattern, so for such a one it would hold for
/// nobody.
pub(super) fn of_agent(scope: Scope, scope_id: Option<&str>, check: &mut Check) {
    check.one_agent("/scope_id", scope_id.filter(|_| scope == Scope::Agent));
}

/// A condition is kept, shown and put into bundles as it is written, so it must not hold a secret; nor must its JSON
/// form, whose texts stand in quotes as well. Each of its literals is looked at by itself: what is around it is not
/// part of a value, and a `*` in it stands for any.
pub(super) fn condition(pointer: &str, condition: &str, check: &mut Check) {
    let (literals, rest) = literals(condition);
    if holds_secret(&rest) || literals.iter().any(|literal| holds_secret(sought(&literal.replace('*', " "))))
    {
        check.refuse(pointer, "must not hold a secret: it would be stored as it is");
    }
    // Names come to a rule composed, so it would never meet one that it spells in another way.
    check.composed(pointer, Some(condition));
    check.open(pointer, condition);
}

/// A pattern without what only begins a secret: `Authorization: Bearer *` looks for one.
fn sought(pattern: &str) -> &str {
    let pattern = pattern.trim();
    let scheme = pattern.rsplit(' ').next().unwrap_or_default();
    let begins =
        ["basic", "bearer", "digest", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if begins { pattern[..pattern.len() - scheme.len()].trim_end() } else { pattern }
}

/// The texts in quotes of a condition, and what is left without them.
fn literals(condition: &str) -> (Vec<String>, String) {
    let (mut literals, mut rest) = (Vec::new(), String::new());
    let mut left = condition;
    while let Some(at) = left.find(['"', '/']) {
        rest.push_str(&left[..at]);
        left = &left[at..];
        if left.starts_with("//") {
            let end = left.find('\n').unwrap_or(left.len());
            rest.push_str(&left[..end]);
            left = &left[end..];
        } else if let Some(inside) = left.strip_prefix('"') {
            let mut escaped = false;
            let end = inside.find(|c| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            let end = end.unwrap_or(inside.len());
            literals.push(inside[..end].to_owned());
            rest.push(' ');
            left = inside.get(end + 1..).unwrap_or_default();
        } else {
            rest.push('/');
            left = &left[1..];
        }
    }
    rest.push_str(left);
    (literals, rest)
}

/// Names every field of a limit that is refused.
pub(super) fn limit(limit: &LimitDefinition, check: &mut Check) {
    check.words("/name", Some(&limit.name), bounds::NAME);
    check.composed("/name", Some(&limit.name));
    check.identity("/degrade_to", limit.degrade_to.as_deref());
    check.identity("/scope_id", limit.scope_id.as_deref());
    let _ = check.take(validate_limit(limit));
}

/// The number in the unit inside: nano-USD for money, whole numbers for all else. Beyond what a record can hold it
/// is `u64::MAX`, which [`validate_limit`] refuses.
pub(super) fn inner(amount: Amount, limit_type: LimitType, check: &mut Check) -> u64 {
    let whole = if counts_money(limit_type) {
        amount.billionths
    } else {
        let message = format!("must be a whole number for {limit_type}");
        check.refuse_if(!amount.billionths.is_multiple_of(BILLION), "/max_value", message);
        amount.billionths / BILLION
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_hides_nothing_that_would_keep_it_from_firing() {
        let refused = |text: &str| {
            let mut check = Check::default();
            condition("/condition", text, &mut check);
            check.done().is_err()
        };
        for hides in ["run_shell\u{200b}", "\u{feff}run_shell", "run\u{ad}_shell", "run_shell\u{e000}"] {
            assert!(refused(&format!("context.step.skill == \"{hides}\"")), "{hides:?}");
            assert!(refused(&format!("{{\"fact\":\"step.skill\",\"op\":\"==\",\"value\":\"{hides}\"}}")));
        }
        for shows in ["run shell", " rm -rf *", "⚙️ builder", "👩‍💻", "бот", "\\u{200b}"] {
            assert!(!refused(&format!("context.step.skill like \"{shows}\"\n  && true")), "{shows}");
        }
    }

    #[test]
    fn a_condition_holds_no_secret_and_may_look_for_one() {
        let refused = |text: &str| {
            let mut check = Check::default();
            condition("/condition", text, &mut check);
            check.done().is_err()
        };
        for secret in [
            "context.step.skill == \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"",
            "context.step.command like \"*ghp_16C7e42F292c6912E7710c838347Ae178B4a*\"",
            "context.step.command like \"*gh\\u{70}_16C7e42F292c6912E7710c838347Ae178B4a*\"",
            "context.step.command like \"*password=hunter22*\"",
            "true // ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "context.step.skill == \"a\\\"\" || context.step.skill == \"AKIAIOSFODNN7EXAMPLE\"",
        ] {
            assert!(refused(secret), "{secret}");
        }
        for plain in [
            "context.content.secrets.contains(\"PASSWORD\")",
            "context.step.command like \"*Authorization: Bearer *\"",
            "context.step.command like \"*password=*\" && context.step.skill == \"shell\"",
            "context.step.command like \"*--token *\" || context.step.url_path like \"/admin/*\" // a \"quote\"",
            "context.step.recipients.contains(\"ours.example\")",
        ] {
            assert!(!refused(plain), "{plain}");
        }
    }
}
