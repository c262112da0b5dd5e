//! L4. Operations: begin, engines, audit, commit, consequences.
//!
//! Invariants: only this crate commits, and only it joins domains. A verdict is answered after its commit.

pub mod aside;
mod assembly;
pub mod background;
pub mod bench;
pub mod bridges;
pub mod budget;
mod checkpoints;
pub mod choke;
mod clock_check;
mod clocks;
mod consequences;
pub mod context;
pub mod coordinators;
mod credentials;
pub mod errors;
mod fallen;
pub mod handlers;
pub mod jobs;
mod ledger;
mod once;
pub mod ports;
mod rejections;
mod repeats;
mod report;
mod retrying;
pub mod secrets;
pub mod spine;
mod streams;
mod tenants;
mod texts;
pub mod verdict;

pub use self::{
    assembly::warm,
    context::{CallContext, TenantSettings},
    errors::Error,
    spine::{Clock, Entropy, Parts, Settings, Spine, SystemClock, SystemEntropy},
};
