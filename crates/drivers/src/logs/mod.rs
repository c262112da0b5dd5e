//! Logs: traces and steps, evidence, LLM run records, system records, and the Audit Ledger.

mod audit;
mod contents;
mod decisions;
mod failures;
mod llm_runs;
mod segments;
mod steps;
mod system;
mod traces;
mod tree;

pub use self::{
    contents::{Base, DEEPEST, HeldTexts, Named, NewContents},
    failures::{Evidence, EvidenceReads},
    segments::{
        DecidedStep, HeldLines, HeldRecords, JudgedStep, KeysOfRun, LookedInto, LostStep, NewSegment, Place,
        RunRecords, SealedCounts, SegmentLines, StepsUnder,
    },
    steps::StepsPage,
    traces::{TraceReads, TraceStore},
};
use crate::driver::driver;

driver! {
    /// Reads of the Audit Ledger, LLM run records and system records.
    read LogsReads;
    /// Reads and writes of the same.
    write LogsDomainStore;
}
