//! Limits: which apply, what a call asks of each, where each stands, and what follows.
//!
//! This is only the arithmetic; the rows of usage are held by the engine that admits calls. The way through it:
//!
//! 1. [`crate::CompiledSnapshot::applicable`] names the limits that apply to a call.
//! 2. For each of them a [`LimitInput`] is made: for a limit that counts over runs, from the usage row of the
//!    [`window()`]; for any other by [`LimitInput::from_facts`]. What the run's open permits hold is beside it
//!    ([`Held`]).
//! 3. [`crate::CompiledSnapshot::measure`] turns the inputs into outcomes. The inputs are stored in the decision, and
//!    re-execution needs nothing else.
//! 4. [`charge()`] says what to write into the usage row.
//!
//! A value equal to the limit is allowed, a value above it is not. Limits meter calls, so none applies at RUN_START.

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
