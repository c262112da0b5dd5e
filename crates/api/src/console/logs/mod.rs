//! Logs: the Audit Ledger, and what happened to keys, settings and the installation.

mod audit;
mod system;

pub(super) use self::{
    audit::{audit, entry},
    system::{record, system},
};
