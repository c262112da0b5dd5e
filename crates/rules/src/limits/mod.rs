//! Limits: which apply, what a call asks of each, where each stands, and what follows.
//!
//! The engine that admits calls holds the usage rows; here is only the arithmetic. For each limit that
//! applies ([`CompiledSnapshot::applicable`]) it makes a [`LimitInput`]: for those that count over runs from the
//! usage row of the [`window()`], for the others by [`LimitInput::from_facts`]. [`CompiledSnapshot::measure`]
//! turns the inputs into outcomes; the inputs are stored in the decision and are all that re-execution needs.
//! Afterwards [`charge()`] says what to write into the usage row.
//!
//! A value equal to the limit is allowed, above it is not. Limits meter calls, so none applies at RUN_START.

mod admit;
mod charge;
mod demand;
mod validate;
mod window;

#[cfg(test)]
mod tests;

use proof::{
    definitions::LimitDefinition,
    words::{Moment, Scope},
};
use serde::{Deserialize, Serialize};

pub use admit::{Advice, LimitOutcome, NEAR_THRESHOLD_PERCENT, admit};
pub use charge::{Charge, Used, charge};
pub use demand::{Basis, basis, counts_cost, demand};
pub use validate::{category, validate_limit};
pub use window::{Window, window};

use crate::{CompiledSnapshot, Count, Facts};

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
    /// What open permits have reserved, without this call's own permit.
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
    /// For a limit whose [`basis`] is usage or errors, fill in the rest.
    #[must_use]
    pub fn from_facts(limit: &LimitDefinition, moment: Moment, facts: &Facts) -> Self {
        Self {
            limit_id: limit.limit_id.clone(),
            max: limit.max_value.into(),
            used: demand::used(limit.limit_type, facts),
            demand: demand(limit.limit_type, moment, facts),
            cost_unknown: demand::cost_unknown(limit.limit_type, facts),
            ..Self::default()
        }
    }
}

/// Most specific first: the order in which limits that hold together are named.
#[must_use]
pub const fn specificity(scope: Scope) -> u8 {
    match scope {
        Scope::Agent => 0,
        Scope::Project => 1,
        Scope::Provider => 2,
        Scope::Tenant => 3,
        Scope::Global => 4,
    }
}

/// Whether a limit holds for a call of that moment.
#[must_use]
pub fn applies(limit: &LimitDefinition, moment: Moment, facts: &Facts) -> bool {
    let matched = |id: &str| !id.is_empty() && limit.scope_id.as_deref() == Some(id);
    let in_scope = match limit.scope {
        Scope::Global | Scope::Tenant => true,
        Scope::Project => matched(&facts.principal.project_id),
        Scope::Agent => matched(&facts.principal.agent_id),
        Scope::Provider => facts.step.as_ref().is_some_and(|step| matched(&step.provider)),
    };
    in_scope && demand::measured_at(limit.limit_type, moment)
}

impl CompiledSnapshot {
    /// The limits that hold for a call, most specific first.
    pub fn applicable<'a>(
        &'a self,
        moment: Moment,
        facts: &'a Facts,
    ) -> impl Iterator<Item = &'a LimitDefinition> + use<'a> {
        self.limits().iter().filter(move |limit| applies(limit, moment, facts))
    }

    /// Measures a call against the limits that the inputs name, in the order of [`Self::limits`], whatever the
    /// order of the inputs. A limit whose definition was tampered with refuses.
    #[must_use]
    pub fn measure(&self, moment: Moment, facts: &Facts, inputs: &[LimitInput]) -> Vec<LimitOutcome> {
        let input = |limit: &LimitDefinition| inputs.iter().find(|input| input.limit_id == limit.limit_id);
        self.limits()
            .iter()
            .filter_map(|limit| {
                let tampered = facts.tampered.contains(&limit.limit_id);
                match input(limit) {
                    Some(input) => Some(admit(limit, moment, input, self.block_unknown_cost(), tampered)),
                    None if tampered => {
                        let input = LimitInput::from_facts(limit, moment, facts);
                        Some(admit(limit, moment, &input, self.block_unknown_cost(), true))
                    }
                    None => None,
                }
            })
            .collect()
    }
}
