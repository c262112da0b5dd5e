//! What a call is measured against: one limit as it stood, and what the call asks of it.

use proof::{definitions::LimitDefinition, words::Moment};
use serde::{Deserialize, Serialize};

use super::demand;
use crate::{Count, Facts};

/// One limit as it stood when a call was measured against it, and what the call asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitInput {
    /// The limit.
    pub limit_id: String,
    /// The cap in force: the definition's, or an override's.
    pub max: Count,
    /// What is used, without this call.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub used: Count,
    /// What open permits have reserved, without this call's own permit: of a limit on the run, those of the run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reserved: Count,
    /// What this call adds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub demand: Count,
    /// At STEP_POST: what this call's permit had reserved here. A call is never refused for what it was granted;
    /// what it spent above that is counted, and the next call is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Count>,
    /// Of how many steps `used` is the failed part: ERROR_RATE_PCT only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub population: Count,
    /// Whether the limit counts cost and this call's cost is not known.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cost_unknown: bool,
    /// Start of the window that `used` is of. Empty where the limit has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub window_start: String,
    /// Until the window ends, for limits on rate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retry_after_ms: Count,
    /// The override that raised the cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_zero(count: &Count) -> bool {
    *count == Count::ZERO
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl LimitInput {
    /// What the facts alone say: demand, unknown cost, and for limits on a run or a step also what is used.
    /// For a limit whose [`basis`](super::basis) is usage or errors, fill in the rest; for one on the run what its open
    /// permits hold.
    #[must_use]
    pub fn from_facts(limit: &LimitDefinition, moment: Moment, facts: &Facts) -> Self {
        Self {
            limit_id: limit.limit_id.clone(),
            max: limit.max_value.into(),
            used: demand::used(limit.limit_type, facts),
            demand: demand::demand(limit.limit_type, moment, facts),
            cost_unknown: demand::cost_unknown(limit.limit_type, facts),
            ..Self::default()
        }
    }
}
