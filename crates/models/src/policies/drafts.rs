//! What a caller asks a rule or a limit to be, before anything is decided about it.

use proof::words::{
    BindAt, Consequence, EnforcementMode, LimitCategory, LimitEnforcement, LimitType, ResetPeriod, RuleType,
    Scope,
};
use serde::Serialize;
use serde_json::Value;

/// A number as a caller wrote it, in billionths: exact to nine decimals. What its unit is, the limit's type says:
/// USD, which are kept as nano-USD, or something that has only whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// The number times a million.
    pub billionths: u128,
}

/// A rule to be made. What is not said gets its default: SAFETY, TENANT, STEP_POST, 100.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleDraft {
    pub name: String,
    pub description: Option<String>,
    pub rule_type: Option<RuleType>,
    pub enforcement_mode: EnforcementMode,
    pub scope: Option<Scope>,
    pub scope_id: Option<String>,
    pub bind_at: Option<BindAt>,
    pub precedence: Option<i64>,
    /// Cedar: the expression inside `when { }`. Either this or `conditions`.
    pub condition: Option<String>,
    /// The JSON form of a condition.
    pub conditions: Option<Value>,
}

/// A change of a rule. What is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RuleChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub rule_type: Option<RuleType>,
    pub enforcement_mode: Option<EnforcementMode>,
    pub scope: Option<Scope>,
    /// `Some(None)` takes it away.
    pub scope_id: Option<Option<String>>,
    pub bind_at: Option<BindAt>,
    pub precedence: Option<i64>,
    pub condition: Option<String>,
    pub conditions: Option<Value>,
}

/// A limit to be made. What is not said gets its default: TENANT, BLOCK, ALERT.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitDraft {
    pub name: String,
    pub limit_category: LimitCategory,
    pub limit_type: LimitType,
    pub scope: Option<Scope>,
    pub scope_id: Option<String>,
    pub max_value: Amount,
    pub reset_period: Option<ResetPeriod>,
    pub window_seconds: Option<u64>,
    pub measurement_window_seconds: Option<u64>,
    pub enforcement: Option<LimitEnforcement>,
    pub degrade_to: Option<String>,
    pub consequence: Option<Consequence>,
}

/// A change of a limit. What is not said stays. What it counts, of whom and over what (category, type, scope, period
/// and windows) may be said and must be as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LimitChange {
    pub name: Option<String>,
    pub limit_category: Option<LimitCategory>,
    pub limit_type: Option<LimitType>,
    pub scope: Option<Scope>,
    /// `Some(None)` says that there is none.
    pub scope_id: Option<Option<String>>,
    pub max_value: Option<Amount>,
    pub reset_period: Option<ResetPeriod>,
    pub window_seconds: Option<u64>,
    pub measurement_window_seconds: Option<u64>,
    pub enforcement: Option<LimitEnforcement>,
    pub degrade_to: Option<String>,
    pub consequence: Option<Consequence>,
}
