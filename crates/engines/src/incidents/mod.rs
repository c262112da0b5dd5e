//! What opens an incident, and what may be done to one.

mod acknowledge;
mod open;
mod recur;
mod resolve;
mod state;

pub use self::{
    acknowledge::{AcknowledgeError, acknowledge},
    open::{Cause, Origin, open, severity_of_failure, severity_of_limit, severity_of_rule},
    recur::recur,
    resolve::{Resolution, ResolveError, resolve},
    state::audit_state,
};
