//! L7. What a row means: ids, values, states.
//!
//! A domain has its values in `<domain>/mod.rs`, for anybody. The tables are in `entities`, which knows these ids;
//! nothing here knows a store. Words that appear in hashed records are `proof::words`; only what is never hashed is
//! declared here.
//!
//! Invariants: nothing here does I/O, reads a clock, or decides anything; no domain names another.

pub mod account;
pub mod activity;
pub mod bounds;
pub mod counters;
pub mod ids;
pub mod incidents;
pub mod jobs;
pub mod ledger;
pub mod logs;
pub mod overview;
pub mod page;
pub mod policies;
pub mod time;
pub mod verdict;
