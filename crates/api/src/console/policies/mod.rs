//! Policies: rules and limits, how often they fired, and how much is used.

mod limits;
mod new_rule;
mod rules;

pub(super) use self::{
    limits::{limit, limits},
    new_rule::{create_rule, new_rule},
    rules::{retire_rule, rule, rules},
};
