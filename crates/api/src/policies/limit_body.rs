//! The bodies of writes of limits, as they are read.

use models::policies::{self, LimitChange, LimitDraft};
use orchestrator::handlers::policies::category_of;
use serde::Deserialize;
use utoipa::ToSchema;

use super::rule_body::said;
use crate::{
    extract::Amount,
    view::{
        text,
        words::{self, known},
    },
};

/// A limit to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLimit)]
pub(crate) struct LimitBody {
    /// Unique among the tenant's active limits.
    #[schema(value_type = text::Name)]
    name: String,
    /// Follows from the type where not given.
    limit_category: Option<words::LimitCategory>,
    limit_type: words::LimitType,
    /// `TENANT` where not given.
    scope: Option<words::Scope>,
    /// The project, agent or provider, for those scopes only.
    #[schema(value_type = Option<text::Identity>)]
    scope_id: Option<String>,
    /// A value equal to it is allowed.
    max_value: Amount,
    /// For BUDGET, which needs one: `NONE` is said, never assumed.
    reset_period: Option<words::ResetPeriod>,
    /// For RATE.
    #[schema(minimum = 1, maximum = 31_622_400)]
    window_seconds: Option<u64>,
    /// For THRESHOLD.
    #[schema(minimum = 1, maximum = 31_622_400)]
    measurement_window_seconds: Option<u64>,
    /// `BLOCK` where not given.
    enforcement: Option<words::LimitEnforcement>,
    /// What an agent is to go on with; for `DEGRADE`, where it is `lower_cost_model` if not given.
    #[schema(value_type = Option<text::Identity>)]
    degrade_to: Option<String>,
    /// `ALERT` where not given.
    consequence: Option<words::Consequence>,
}

impl LimitBody {
    pub(crate) fn draft(self) -> LimitDraft {
        let limit_type = self.limit_type.known();
        LimitDraft {
            name: self.name,
            limit_category: known(self.limit_category).unwrap_or_else(|| category_of(limit_type)),
            limit_type,
            scope: known(self.scope),
            scope_id: self.scope_id,
            max_value: amount(self.max_value),
            reset_period: known(self.reset_period),
            window_seconds: self.window_seconds,
            measurement_window_seconds: self.measurement_window_seconds,
            enforcement: known(self.enforcement),
            degrade_to: self.degrade_to,
            consequence: known(self.consequence),
        }
    }
}

/// A change of a limit; what is not said stays. What was used of a limit is of what it counts: so category, type,
/// scope, `scope_id`, period and windows may be said, and must be as they are (422 otherwise). For others, make another
/// limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitChange)]
#[expect(clippy::option_option, reason = "not said, null, and a text are three things")]
pub(crate) struct LimitChangeBody {
    #[schema(value_type = Option<text::Name>)]
    name: Option<String>,
    limit_category: Option<words::LimitCategory>,
    limit_type: Option<words::LimitType>,
    scope: Option<words::Scope>,
    /// As it is; null where there is none.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<text::Identity>)]
    scope_id: Option<Option<String>>,
    max_value: Option<Amount>,
    reset_period: Option<words::ResetPeriod>,
    #[schema(minimum = 1, maximum = 31_622_400)]
    window_seconds: Option<u64>,
    #[schema(minimum = 1, maximum = 31_622_400)]
    measurement_window_seconds: Option<u64>,
    enforcement: Option<words::LimitEnforcement>,
    /// For `DEGRADE`.
    #[schema(value_type = Option<text::Identity>)]
    degrade_to: Option<String>,
    consequence: Option<words::Consequence>,
}

impl LimitChangeBody {
    pub(crate) fn change(self) -> LimitChange {
        LimitChange {
            name: self.name,
            limit_category: known(self.limit_category),
            limit_type: known(self.limit_type),
            scope: known(self.scope),
            scope_id: self.scope_id,
            max_value: self.max_value.map(amount),
            reset_period: known(self.reset_period),
            window_seconds: self.window_seconds,
            measurement_window_seconds: self.measurement_window_seconds,
            enforcement: known(self.enforcement),
            degrade_to: self.degrade_to,
            consequence: known(self.consequence),
        }
    }
}

fn amount(amount: Amount) -> policies::Amount {
    policies::Amount { billionths: amount.billionths }
}
