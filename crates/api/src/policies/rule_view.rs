//! A rule, as it is written.

use models::policies::Rule;
use orchestrator::handlers::policies;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Time, words};

/// A rule, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub(crate) struct RuleView {
    #[serde(flatten)]
    rule: RuleDefinitionView,
    /// How often it fired in 30 days.
    trigger_count_30d: u64,
    /// When it fired last, ever.
    last_triggered_at: Option<Time>,
    /// FAILED where the stored definition is not the one whose hash was kept: it is not enforced in silence.
    #[schema(value_type = words::IntegrityStatus)]
    integrity_status: &'static str,
}

/// A rule: its version in force, and its history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RuleDefinition)]
pub(crate) struct RuleDefinitionView {
    rule_id: String,
    /// Goes up with every change; the `ETag`.
    version: u64,
    name: String,
    description: String,
    #[schema(value_type = words::RuleType)]
    rule_type: &'static str,
    #[schema(value_type = words::EnforcementMode)]
    enforcement_mode: &'static str,
    #[schema(value_type = words::Scope)]
    scope: &'static str,
    scope_id: Option<String>,
    #[schema(value_type = words::BindAt)]
    bind_at: &'static str,
    precedence: i64,
    /// Cedar: the expression inside `when { }`.
    condition: String,
    #[schema(value_type = words::RuleStatus)]
    status: &'static str,
    #[schema(value_type = words::RuleSource)]
    source: &'static str,
    source_proposal_id: Option<String>,
    parent_rule_id: Option<String>,
    superseded_by: Option<String>,
    created_by: String,
    created_at: Time,
    updated_at: Time,
    retired_at: Option<Time>,
    retired_by: Option<String>,
    retirement_reason: Option<String>,
}

impl From<policies::RuleView> for RuleView {
    fn from(view: policies::RuleView) -> Self {
        Self {
            rule: view.rule.into(),
            trigger_count_30d: view.trigger_count_30d,
            last_triggered_at: view.last_triggered_at.map(Time),
            integrity_status: view.integrity_status.as_str(),
        }
    }
}

impl From<Rule> for RuleDefinitionView {
    fn from(rule: Rule) -> Self {
        let definition = rule.definition;
        Self {
            rule_id: definition.rule_id,
            version: definition.version,
            name: definition.name,
            description: definition.description,
            rule_type: definition.rule_type.as_str(),
            enforcement_mode: definition.enforcement_mode.as_str(),
            scope: definition.scope.as_str(),
            scope_id: definition.scope_id,
            bind_at: definition.bind_at.as_str(),
            precedence: definition.precedence,
            condition: definition.condition,
            status: rule.status.as_str(),
            source: definition.source.as_str(),
            source_proposal_id: rule.source_proposal_id.map(|id| id.to_string()),
            parent_rule_id: rule.parent_rule_id.map(|id| id.to_string()),
            superseded_by: rule.superseded_by.map(|id| id.to_string()),
            created_by: rule.created_by,
            created_at: rule.created_at.into(),
            updated_at: rule.updated_at.into(),
            retired_at: rule.retired_at.map(Time),
            retired_by: rule.retired_by,
            retirement_reason: rule.retirement_reason,
        }
    }
}
