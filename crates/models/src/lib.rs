//! L7. What a row means: ids, values, states, and the table behind each.
//!
//! A domain has its values in `<domain>/mod.rs`, for anybody, and its tables in `<domain>/entity*`, for
//! `drivers` alone. `overview` has neither: it owns no table. Words that appear in hashed records are
//! `proof::words`; only what is never hashed is declared here.
//!
//! Invariants: nothing here does I/O, reads a clock, or decides anything; no domain names another.

pub mod account;
pub mod activity;
pub mod bounds;
pub mod ids;
pub mod incidents;
pub mod ledger;
pub mod logs;
pub mod overview;
pub mod page;
pub mod policies;
pub mod time;
pub mod verdict;
