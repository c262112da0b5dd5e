//! Policies: rules and limits, how often they fired, how much is used, who changed them; and what is frozen or was
//! stopped.

mod freezes;
mod limit_form;
mod limits;
mod rule_form;
mod rules;
mod said;
mod stopped;

pub(super) use self::{
    freezes::{freeze, freezes, unfreeze},
    limit_form::{create_limit, disable_limit, edit_limit, new_limit, update_limit},
    limits::{limit, limits},
    rule_form::{create_rule, edit_rule, modify_rule, new_rule},
    rules::{retire_rule, rule, rules},
    stopped::stopped,
};
