//! A limit, as it is written.

use models::policies::Limit;
use orchestrator::handlers::policies::{self, counts_money};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Number, Time, words};

/// A limit, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Limit)]
pub(crate) struct LimitView {
    #[serde(flatten)]
    limit: LimitDefinitionView,
    /// How often it was passed in 30 days.
    breach_count_30d: u64,
    /// When it was passed last, ever.
    last_breached_at: Option<Time>,
    /// What is used of it in the window that runs now; null for a limit that every run or step meets anew.
    utilization_pct: Option<Number>,
    /// FAILED where the stored definition is not the one whose hash was kept: it is not enforced in silence.
    #[schema(value_type = words::IntegrityStatus)]
    integrity_status: &'static str,
}

/// A limit: its version in force, and its history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LimitDefinition)]
pub(crate) struct LimitDefinitionView {
    limit_id: String,
    /// Goes up with every change; the `ETag`.
    version: u64,
    name: String,
    #[schema(value_type = words::LimitCategory)]
    limit_category: &'static str,
    #[schema(value_type = words::LimitType)]
    limit_type: &'static str,
    #[schema(value_type = words::Scope)]
    scope: &'static str,
    scope_id: Option<String>,
    /// In the type's own unit.
    max_value: Number,
    /// What that counts: `USD`, `tokens`, `steps`, `calls`, `retries`, `ms` or `%`.
    unit: &'static str,
    #[schema(value_type = Option<words::ResetPeriod>)]
    reset_period: Option<&'static str>,
    window_seconds: Option<u64>,
    measurement_window_seconds: Option<u64>,
    #[schema(value_type = words::LimitEnforcement)]
    enforcement: &'static str,
    /// What an agent is to go on with, where the limit asks to DEGRADE.
    #[serde(skip_serializing_if = "Option::is_none")]
    degrade_to: Option<String>,
    #[schema(value_type = words::Consequence)]
    consequence: &'static str,
    #[schema(value_type = words::LimitStatus)]
    status: &'static str,
    created_by: String,
    created_at: Time,
    updated_at: Time,
}

impl From<policies::LimitView> for LimitView {
    fn from(view: policies::LimitView) -> Self {
        Self {
            limit: view.limit.into(),
            breach_count_30d: view.breach_count_30d,
            last_breached_at: view.last_breached_at.map(Time),
            utilization_pct: view.utilization_permille.map(Number::percent),
            integrity_status: view.integrity_status.as_str(),
        }
    }
}

impl From<Limit> for LimitDefinitionView {
    fn from(limit: Limit) -> Self {
        let definition = limit.definition;
        Self {
            limit_id: definition.limit_id,
            version: definition.version,
            name: definition.name,
            limit_category: definition.limit_category.as_str(),
            limit_type: definition.limit_type.as_str(),
            scope: definition.scope.as_str(),
            scope_id: definition.scope_id,
            max_value: Number::of_limit(counts_money(definition.limit_type), definition.max_value),
            unit: unit(definition.limit_type.as_str()),
            reset_period: definition.reset_period.map(|period| period.as_str()),
            window_seconds: definition.window_seconds,
            measurement_window_seconds: definition.measurement_window_seconds,
            enforcement: definition.enforcement.as_str(),
            degrade_to: definition.degrade_to,
            consequence: definition.consequence.as_str(),
            status: limit.status.as_str(),
            created_by: limit.created_by,
            created_at: limit.created_at.into(),
            updated_at: limit.updated_at.into(),
        }
    }
}

/// What a type of limits counts.
fn unit(limit_type: &str) -> &'static str {
    match limit_type {
        "COST_USD" | "RUN_COST_USD" | "STEP_COST_USD" => "USD",
        "TOOL_CALLS" => "calls",
        "RETRY_COUNT" => "retries",
        "RUN_DURATION_MS" | "LATENCY_MS" => "ms",
        "ERROR_RATE_PCT" => "%",
        tokens if tokens.contains("TOKENS") => "tokens",
        _ => "steps",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_unit() {
        let of = |wanted: &str| words::LimitType::all().iter().filter(|word| unit(word) == wanted).count();
        assert_eq!(["USD", "tokens", "steps", "calls", "retries", "ms", "%"].map(of), [3, 6, 5, 1, 1, 2, 1]);
    }
}
