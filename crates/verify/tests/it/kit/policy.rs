//! The rules and limits of the scenes.

use proof::{
    definitions::{LimitDefinition, RuleDefinition, SnapshotDefinition},
    words::{
        BindAt, Consequence, EnforcementMode, LimitCategory, LimitEnforcement, LimitType, RuleSource,
        RuleType, Scope,
    },
};

pub(crate) fn snapshot(rules: Vec<RuleDefinition>, limits: Vec<LimitDefinition>) -> SnapshotDefinition {
    SnapshotDefinition { rules, limits, time_zone: "UTC".to_owned(), block_unknown_cost: false }
}

pub(crate) fn cost_rule(enforcement_mode: EnforcementMode) -> RuleDefinition {
    RuleDefinition {
        rule_id: "rule_0192a5b6c7d87a1b8c2d3e4f50617300".to_owned(),
        version: 1,
        name: "no step above half a dollar".to_owned(),
        description: String::new(),
        rule_type: RuleType::Safety,
        enforcement_mode,
        scope: Scope::Tenant,
        scope_id: None,
        bind_at: BindAt::StepPost,
        precedence: 100,
        condition: "context.step.cost_microusd > 500000".to_owned(),
        source: RuleSource::Manual,
        source_incident_id: None,
    }
}

/// At most so many micro-USD a run.
pub(crate) fn cost_limit(micro_usd: u64) -> LimitDefinition {
    LimitDefinition {
        limit_id: "lim_0192a5b6c7d87a1b8c2d3e4f50617301".to_owned(),
        version: 1,
        name: "cost of a run".to_owned(),
        limit_category: LimitCategory::Threshold,
        limit_type: LimitType::RunCostUsd,
        scope: Scope::Tenant,
        scope_id: None,
        max_value: micro_usd * 1_000,
        reset_period: None,
        window_seconds: None,
        measurement_window_seconds: None,
        degrade_to: None,
        enforcement: LimitEnforcement::Block,
        consequence: Consequence::Incident,
    }
}
