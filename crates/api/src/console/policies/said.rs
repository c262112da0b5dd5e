//! Rules and limits in the words of people, and what the forms of both say.

use axum::http::StatusCode;
use models::policies::Limit;
use orchestrator::{
    Error,
    errors::{ConflictCode, FieldError},
    handlers::policies::{LimitView, RuleView},
};

use crate::{
    Problem,
    console::{
        activity::amount,
        forms::{Choices, Form},
        show,
    },
};

/// How much a limit lets pass, over what and of whom: "$40.00 a day, all agents".
pub(super) fn limit(limit: &Limit) -> String {
    let definition = &limit.definition;
    let limit_type = definition.limit_type.as_str();
    let over = match (limit_type, definition.reset_period.map(|period| period.as_str())) {
        ("REQUESTS_PER_SECOND", _) => window(definition.window_seconds, 1, "a second"),
        ("REQUESTS_PER_MINUTE" | "TOKENS_PER_MINUTE", _) => window(definition.window_seconds, 60, "a minute"),
        ("REQUESTS_PER_HOUR", _) => window(definition.window_seconds, 3_600, "an hour"),
        ("ERROR_RATE_PCT", _) => window(definition.measurement_window_seconds, 0, "in a window"),
        ("STEP_COST_USD" | "STEP_TOKENS" | "LATENCY_MS" | "RETRY_COUNT", _) => "a step".to_owned(),
        (of_run, _) if of_run.starts_with("RUN_") => "a run".to_owned(),
        (_, Some("DAILY")) => "a day".to_owned(),
        (_, Some("WEEKLY")) => "a week".to_owned(),
        (_, Some("MONTHLY")) => "a month".to_owned(),
        _ => "in all, never filled again".to_owned(),
    };
    let whom = whom(definition.scope.as_str(), definition.scope_id.as_deref());
    format!("{} {over}, {whom}", amount(limit_type, definition.max_value))
}

fn window(seconds: Option<u64>, usual: u64, in_words: &str) -> String {
    match seconds.filter(|seconds| *seconds != usual) {
        Some(seconds) => format!("in {} s", show::count(seconds)),
        None => in_words.to_owned(),
    }
}

/// Whom a rule or limit binds.
pub(super) fn whom(scope: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{} {id}", scope.to_lowercase()),
        None => "all agents".to_owned(),
    }
}

/// A limit's value as its form takes it.
pub(super) fn written(is_money: bool, value: u64) -> String {
    if !is_money {
        return value.to_string();
    }
    let digits = format!("{:09}", value % 1_000_000_000);
    let kept = digits.trim_end_matches('0').len().max(2);
    format!("{}.{}", value / 1_000_000_000, &digits[..kept])
}

/// Where a limit is.
pub(super) fn limit_path(view: &LimitView) -> String {
    format!("/console/policies/limits/{}", view.limit.definition.limit_id)
}

/// Where a rule is.
pub(super) fn rule_path(view: &RuleView) -> String {
    format!("/console/policies/rules/{}", view.rule.definition.rule_id)
}

/// What a refusal is to a form: said at its fields, where it is about them.
pub(super) fn refused(err: Error, form: Form) -> Result<(StatusCode, Form), Problem> {
    let said = show::sentence(&show::plain(&err.to_string()));
    match err {
        Error::Invalid(errors) => Ok((StatusCode::UNPROCESSABLE_ENTITY, form.with(errors))),
        Error::Conflict { code: ConflictCode::RuleNameTaken | ConflictCode::LimitNameTaken, .. } => {
            Ok((StatusCode::CONFLICT, form.with(vec![FieldError::new("/name", said)])))
        }
        Error::Conflict { .. } => Ok((StatusCode::CONFLICT, form.refused(said))),
        other => Err(other.into()),
    }
}

/// What is told who changes what somebody else has changed since.
pub(super) fn stale(what: &str, current: u64) -> String {
    format!(
        "Somebody has changed this {what} since you opened the form: version {current} is in force now. Look at it \
         first; saving once more puts what stands below in its place."
    )
}

/// Whom a limit binds.
pub(super) const SCOPES_OF_LIMITS: &[Choices] = &[(
    "",
    &[
        ("TENANT", "TENANT: all agents"),
        ("AGENT", "AGENT: one agent"),
        ("PROJECT", "PROJECT: one project"),
        ("PROVIDER", "PROVIDER: calls to one provider"),
        ("GLOBAL", "GLOBAL: all agents"),
    ],
)];

/// Whom a rule binds.
pub(super) const SCOPES_OF_RULES: &[Choices] = &[(
    "",
    &[
        ("TENANT", "TENANT: all agents"),
        ("AGENT", "AGENT: one agent"),
        ("PROJECT", "PROJECT: one project"),
        ("GLOBAL", "GLOBAL: all agents"),
    ],
)];

/// What a rule does.
pub(super) const MODES: &[Choices] = &[
    (
        "refuses",
        &[
            ("BLOCK", "BLOCK: the step is refused, the run goes on"),
            ("STOP", "STOP: it is refused, the run takes no more steps"),
            ("KILL", "KILL: it is refused, the run ends at once, HALTED"),
            ("ABORT", "ABORT: it is refused, the run ends at once, ABORTED"),
        ],
    ),
    (
        "lets pass",
        &[
            ("WARN", "WARN: it counts, and people are told"),
            ("AUDIT", "AUDIT: it counts, what would have been is written down"),
            ("DRY_RUN", "DRY_RUN: the same, to try a rule out"),
            ("DISABLED", "DISABLED: the rule is not judged"),
        ],
    ),
];

/// When a rule is judged.
pub(super) const MOMENTS: &[Choices] = &[(
    "",
    &[
        ("STEP_PRE", "STEP_PRE: before the act, when a permit is asked"),
        ("STEP_POST", "STEP_POST: after the act, when the step is recorded"),
        ("RUN_START", "RUN_START: when a run begins"),
    ],
)];

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_form_gets_back_what_it_takes() {
        for (is_money, value, text) in [
            (true, 40_000_000_000, "40.00"),
            (true, 500_000_000, "0.50"),
            (true, 138_000, "0.000138"),
            (false, 110, "110"),
        ] {
            assert_eq!(written(is_money, value), text);
            let read = crate::extract::Amount::read(text).expect("a number").billionths;
            assert_eq!(read, u128::from(value) * if is_money { 1 } else { 1_000_000_000 });
        }
    }
}
