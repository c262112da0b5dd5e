//! Limits: which apply, what a call asks of each, where each stands, and what follows.
//!
//! The engine that admits calls holds the usage rows; here is only the arithmetic. For each limit that
//! applies ([`crate::CompiledSnapshot::applicable`]) it makes a [`LimitInput`]: for those that count over runs from the
//! usage row of the [`window()`], for the others by [`LimitInput::from_facts`], with what the run's open permits hold ([`Held`])
//! beside it. [`crate::CompiledSnapshot::measure`]
//! turns the inputs into outcomes; the inputs are stored in the decision and are all that re-execution needs.
//! Afterwards [`charge()`] says what to write into the usage row.
//!
//! A value equal to the limit is allowed, above it is not. Limits meter calls, so none applies at RUN_START.

mod admit;
mod charge;
mod demand;
mod input;
mod validate;
mod window;

#[cfg(test)]
mod tests;

use proof::{
    definitions::LimitDefinition,
    words::{Moment, Scope},
};

pub use admit::{Advice, LimitOutcome, NEAR_THRESHOLD_PERCENT, admit};
pub use charge::{Charge, Held, Used, charge};
pub use demand::{Basis, basis, counts_cost, demand};
pub use input::LimitInput;
pub(crate) use input::is_zero;
pub use validate::{category, validate_limit};
pub use window::{Window, window};

use crate::Facts;

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
