//! What opens an incident, and what may be done to one.

mod acknowledge;
mod failure;
mod integrity_failure;
mod open;
mod recur;
mod resolve;
mod state;

pub use self::{
    acknowledge::{AcknowledgeError, acknowledge},
    failure::failure,
    integrity_failure::{Mismatch, integrity_failure},
    open::{
        Cause, Origin, of_run, open, open_outside, severity_of_failure, severity_of_limit, severity_of_rule,
    },
    recur::{Struck, join, recur},
    resolve::{Resolution, ResolveError, resolve},
    state::audit_state,
};
