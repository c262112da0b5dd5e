//! Operations on records as they were stored, and on the proofs that they are whole. Logs never summarise and never
//! decide.

mod erase_contents;
mod get_audit;
mod get_checkpoint;
mod get_llm_run;
mod get_system;
mod list_audit;
mod list_checkpoints;
mod list_llm_runs;
mod list_system;
mod metadata;
mod nodes;
mod prove_audit;
mod prove_consistency;

pub use self::{
    erase_contents::erase_contents,
    get_audit::get_audit,
    get_checkpoint::get_checkpoint,
    get_llm_run::get_llm_run,
    get_system::get_system,
    list_audit::list_audit,
    list_checkpoints::list_checkpoints,
    list_llm_runs::list_llm_runs,
    list_system::list_system,
    metadata::{EvidenceMetadata, Logged},
    prove_audit::{AuditProof, prove_audit},
    prove_consistency::{Consistency, prove_consistency},
};
