//! Logs: traces and steps, evidence, LLM run records, system records, and the Audit Ledger.

mod audit;
mod evidence;
mod failures;
mod gaps;
mod llm_runs;
mod steps;
mod system;
mod traces;
mod tree;

pub use self::{
    evidence::{Evidence, EvidenceReads},
    steps::DecidedStep,
    traces::{TraceReads, TraceStore},
};
use crate::driver::driver;

driver! {
    /// Reads of the Audit Ledger, LLM run records and system records.
    read LogsReads;
    /// Reads and writes of the same.
    write LogsDomainStore;
}
