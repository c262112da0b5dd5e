//! Rules and limits as they are enforced, and the snapshot that binds a run to them.
#![expect(missing_docs, reason = "the fields are named by spec 2 and 3; the structs say what they are")]

use serde::{Deserialize, Serialize};

use crate::words::{
    BindAt, Consequence, EnforcementMode, LimitCategory, LimitEnforcement, LimitType, ResetPeriod,
    RuleSource, RuleType, Scope,
};

/// One version of a rule, whole. Its hash is `policy_rule_integrity.hash_root`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDefinition {
    pub rule_id: String,
    pub version: u64,
    pub name: String,
    pub description: String,
    pub rule_type: RuleType,
    pub enforcement_mode: EnforcementMode,
    pub scope: Scope,
    pub scope_id: Option<String>,
    pub bind_at: BindAt,
    /// Lower decides first among equally severe.
    pub precedence: i64,
    /// Cedar: the expression inside `when { }`.
    pub condition: String,
    pub source: RuleSource,
    /// The incident that a LEARNED rule's proposal came from.
    pub source_incident_id: Option<String>,
}

/// One version of a limit, whole. Its hash is `limit_integrity.hash_root`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDefinition {
    pub limit_id: String,
    pub version: u64,
    pub name: String,
    pub limit_category: LimitCategory,
    pub limit_type: LimitType,
    pub scope: Scope,
    pub scope_id: Option<String>,
    /// In the unit inside: nano-USD, tokens, steps, milliseconds, per cent.
    pub max_value: u64,
    pub reset_period: Option<ResetPeriod>,
    pub window_seconds: Option<u64>,
    pub measurement_window_seconds: Option<u64>,
    pub enforcement: LimitEnforcement,
    /// What an agent is to go on with, where the limit asks to DEGRADE: a model, a tool, a way of working.
    pub degrade_to: Option<String>,
    pub consequence: Consequence,
}

/// The rules and limits in force for a run. Its digest is its address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotDefinition {
    /// ACTIVE rules that are not DISABLED, by id.
    pub rules: Vec<RuleDefinition>,
    /// ACTIVE limits, by id.
    pub limits: Vec<LimitDefinition>,
    /// The tenant's zone, an IANA name. Resets and `context.time` follow it.
    pub time_zone: String,
    /// What a limit on cost answers when the cost is not known.
    pub block_unknown_cost: bool,
}
