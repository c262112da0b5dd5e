//! L5. Decisions. One file a verb.
//!
//! Invariants: an engine sees its own domain only, never a clock, a commit or SQL; time and ids are arguments.

pub mod activity;
pub mod check;
pub mod incidents;
pub mod jobs;
pub mod ledger;
pub mod logs;
pub mod policies;
#[cfg(test)]
mod spent;
