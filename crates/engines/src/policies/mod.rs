//! What a rule and a limit may be, and what they may become. Pure: L4 looks them up, and stores what is given back.
//!
//! Every change of a definition is a new version with an integrity row of its own, and owes an audit row. Going out
//! of force (retired, disabled) leaves the definition, and so its version, as it is.

mod check;
mod condition;
mod create_limit;
mod create_rule;
mod disable_limit;
mod modify_rule;
mod retire_rule;
mod state;
mod update_limit;
mod version;

pub use self::{
    check::counts_money,
    condition::cedar_of,
    create_limit::create_limit,
    create_rule::{PRECEDENCE, create_rule},
    disable_limit::{DisableError, disable_limit},
    modify_rule::{ModifyError, modify_rule},
    retire_rule::{RetireError, Retirement, retire_rule},
    state::{limit_state, rule_state},
    update_limit::{UpdateError, update_limit},
    version::{Authored, Version},
};
