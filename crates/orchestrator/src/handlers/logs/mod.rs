//! Operations on records as they were stored, and on the proofs that they are whole. Logs never summarise and never
//! decide.

mod audit;
mod llm_runs;
mod metadata;
mod proofs;
mod system;

pub use self::{
    audit::{get_audit, list_audit},
    llm_runs::{get_llm_run, list_llm_runs},
    metadata::{EvidenceMetadata, Logged},
    proofs::{AuditProof, Consistency, get_checkpoint, list_checkpoints, prove_audit, prove_consistency},
    system::{get_system, list_system},
};
