//! The fifteen canonical events of the Audit Ledger, and the type that makes a change owe one.

mod governed;
mod service;

pub use self::{
    governed::Governed,
    service::{AuditDraft, AuditLedgerService},
};
