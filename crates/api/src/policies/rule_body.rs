//! The bodies of writes of rules, as they are read.

use models::policies::{RuleChange, RuleDraft};
use orchestrator::handlers::policies::{Retirement, RuleCheck};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::view::{
    text,
    words::{self, known},
};

/// A rule to be made. Either `condition` or `conditions`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRule)]
pub(crate) struct RuleBody {
    /// Unique among the tenant's active rules.
    #[schema(value_type = text::Name)]
    name: String,
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// `SAFETY` where not given.
    rule_type: Option<words::RuleType>,
    enforcement_mode: words::EnforcementMode,
    /// `TENANT` where not given.
    scope: Option<words::RuleScope>,
    /// The project or agent, for those scopes only.
    #[schema(value_type = Option<text::Identity>)]
    scope_id: Option<String>,
    /// When it is judged. `STEP_PRE`, when leave for a step is asked: so it stops an act before it happens.
    /// `STEP_POST`, where not given: when a step is recorded, so after the act. A step without permit is judged at
    /// both.
    bind_at: Option<words::BindAt>,
    /// 100 where not given; lower decides first among equally severe.
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    precedence: Option<i64>,
    /// Cedar: the expression inside `when { }`.
    #[schema(max_length = 8192, example = "context.step.cost_microusd > 500000")]
    condition: Option<String>,
    /// The JSON form of a condition; stored as Cedar. Money may be in dollars there: `step.cost_usd`, `run.cost_usd`.
    #[schema(value_type = Option<Object>,
        example = json!({"all": [{"fact": "step.cost_usd", "op": ">", "value": 0.5}]}))]
    conditions: Option<serde_json::Value>,
}

impl RuleBody {
    pub(crate) fn draft(self) -> RuleDraft {
        RuleDraft {
            name: self.name,
            description: self.description,
            rule_type: known(self.rule_type),
            enforcement_mode: self.enforcement_mode.known(),
            scope: known(self.scope),
            scope_id: self.scope_id,
            bind_at: known(self.bind_at),
            precedence: self.precedence,
            condition: self.condition,
            conditions: self.conditions,
        }
    }
}

/// A change of a rule; what is not said stays. It makes a new version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleChange)]
#[expect(clippy::option_option, reason = "not said, null, and a text are three things")]
pub(crate) struct RuleChangeBody {
    #[schema(value_type = Option<text::Name>)]
    name: Option<String>,
    #[schema(max_length = 4000)]
    description: Option<String>,
    rule_type: Option<words::RuleType>,
    enforcement_mode: Option<words::EnforcementMode>,
    scope: Option<words::RuleScope>,
    /// null takes it away.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<text::Identity>)]
    scope_id: Option<Option<String>>,
    bind_at: Option<words::BindAt>,
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    precedence: Option<i64>,
    /// Cedar.
    #[schema(max_length = 8192)]
    condition: Option<String>,
    /// The JSON form.
    #[schema(value_type = Option<Object>)]
    conditions: Option<serde_json::Value>,
}

impl RuleChangeBody {
    pub(crate) fn change(self) -> RuleChange {
        RuleChange {
            name: self.name,
            description: self.description,
            rule_type: known(self.rule_type),
            enforcement_mode: known(self.enforcement_mode),
            scope: known(self.scope),
            scope_id: self.scope_id,
            bind_at: known(self.bind_at),
            precedence: self.precedence,
            condition: self.condition,
            conditions: self.conditions,
        }
    }
}

/// Why a rule is retired. Final.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Retirement)]
pub(crate) struct RetireBody {
    /// Must not be empty.
    #[schema(value_type = text::Reason)]
    reason: String,
    /// The rule that takes its place.
    superseded_by: Option<String>,
}

impl From<RetireBody> for Retirement {
    fn from(body: RetireBody) -> Self {
        Self { reason: body.reason, superseded_by: body.superseded_by }
    }
}

/// A condition to be looked at. Either `condition` or `conditions`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleCheck)]
pub(crate) struct CheckBody {
    /// `STEP_POST` where not given.
    bind_at: Option<words::BindAt>,
    /// Cedar.
    #[schema(max_length = 8192)]
    condition: Option<String>,
    /// The JSON form.
    #[schema(value_type = Option<serde_json::Value>)]
    conditions: Option<serde_json::Value>,
}

impl CheckBody {
    pub(crate) fn check(self) -> RuleCheck {
        RuleCheck { bind_at: known(self.bind_at), condition: self.condition, conditions: self.conditions }
    }
}

/// A member that was said, though it be null.
#[expect(clippy::option_option, reason = "not said, null, and a text are three things")]
pub(super) fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}
