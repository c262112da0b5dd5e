//! Whether a limit makes sense, checked when it is saved.

use proof::{
    definitions::LimitDefinition,
    words::{LimitCategory, LimitEnforcement, LimitType, ResetPeriod, Scope},
};

use super::demand::counts_cost;
use crate::{
    Count,
    fields::{FieldErrors, Fields},
};

/// A year: longer windows are budgets.
const MAX_WINDOW_SECONDS: u64 = 366 * 24 * 3_600;

/// The category that a type of limit belongs to.
#[must_use]
pub const fn category(limit_type: LimitType) -> LimitCategory {
    use LimitType as T;
    match limit_type {
        T::CostUsd | T::TokensTotal | T::TokensInput | T::TokensOutput | T::Steps | T::ToolCalls => {
            LimitCategory::Budget
        }
        T::RequestsPerSecond | T::RequestsPerMinute | T::RequestsPerHour | T::TokensPerMinute => {
            LimitCategory::Rate
        }
        T::RunCostUsd
        | T::RunTokens
        | T::RunSteps
        | T::RunDurationMs
        | T::StepCostUsd
        | T::StepTokens
        | T::LatencyMs
        | T::RetryCount
        | T::ErrorRatePct => LimitCategory::Threshold,
    }
}

/// Names every field of a limit that is refused. Pointers are those of the request's body.
pub fn validate_limit(limit: &LimitDefinition) -> Result<(), FieldErrors> {
    let mut fields = Fields::default();
    fields.refuse_if(limit.name.trim().is_empty(), "/name", "a name is needed");

    let right = category(limit.limit_type);
    let message = format!("{} is a {right} limit", limit.limit_type);
    fields.refuse_if(limit.limit_category != right, "/limit_category", message);

    fields.refuse_if(limit.max_value == 0, "/max_value", "must be above 0");
    // Sums are kept up to the largest count: one that must not be passed has to lie below it.
    let most = if counts_cost(limit.limit_type) { "9007199.254740991 (USD)" } else { "9007199254740991" };
    let message = format!("must be at most {most}");
    fields.refuse_if(limit.max_value >= Count::MAX.get(), "/max_value", message);
    let percent = limit.limit_type == LimitType::ErrorRatePct;
    fields.refuse_if(percent && limit.max_value > 100, "/max_value", "is a percentage: at most 100");

    check_scope(limit, &mut fields);
    check_windows(limit, right, &mut fields);

    let waits = matches!(limit.enforcement, LimitEnforcement::Reject | LimitEnforcement::Queue);
    let message = format!("{} needs a window to wait for: only RATE limits have it", limit.enforcement);
    fields.refuse_if(waits && right != LimitCategory::Rate, "/enforcement", message);
    if let Some(to) = &limit.degrade_to {
        let degrades = limit.enforcement == LimitEnforcement::Degrade;
        fields.refuse_if(!degrades, "/degrade_to", "is for the enforcement DEGRADE only");
        fields.refuse_if(to.trim().is_empty(), "/degrade_to", "must not be empty");
    }
    fields.into_result()
}

fn check_scope(limit: &LimitDefinition, fields: &mut Fields) {
    let named = limit.scope_id.as_deref().is_some_and(|id| !id.trim().is_empty());
    match limit.scope {
        Scope::Project | Scope::Agent | Scope::Provider => {
            fields.refuse_if(!named, "/scope_id", format!("is needed for scope {}", limit.scope));
        }
        Scope::Global | Scope::Tenant => {
            let message = format!("has no meaning for scope {}", limit.scope);
            fields.refuse_if(limit.scope_id.is_some(), "/scope_id", message);
        }
    }
}

fn check_windows(limit: &LimitDefinition, right: LimitCategory, fields: &mut Fields) {
    let resets = limit.reset_period.is_some_and(|period| period != ResetPeriod::None);
    fields.refuse_if(
        right == LimitCategory::Budget && limit.reset_period.is_none(),
        "/reset_period",
        "is needed for a BUDGET limit: DAILY, WEEKLY, MONTHLY, or NONE for a budget that is never filled again",
    );
    fields.refuse_if(right != LimitCategory::Budget && resets, "/reset_period", "is for BUDGET limits only");

    let bounded =
        |seconds: Option<u64>| seconds.is_some_and(|seconds| seconds == 0 || seconds > MAX_WINDOW_SECONDS);
    let message = format!("must be from 1 to {MAX_WINDOW_SECONDS}");
    fields.refuse_if(bounded(limit.window_seconds), "/window_seconds", message.clone());
    fields.refuse_if(
        right != LimitCategory::Rate && limit.window_seconds.is_some(),
        "/window_seconds",
        "is for RATE limits only",
    );

    let measured = limit.limit_type == LimitType::ErrorRatePct;
    fields.refuse_if(bounded(limit.measurement_window_seconds), "/measurement_window_seconds", message);
    fields.refuse_if(
        measured && limit.measurement_window_seconds.is_none(),
        "/measurement_window_seconds",
        "is needed for ERROR_RATE_PCT",
    );
    fields.refuse_if(
        right != LimitCategory::Threshold && limit.measurement_window_seconds.is_some(),
        "/measurement_window_seconds",
        "is for THRESHOLD limits only",
    );
}
