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

pub(crate) use self::{contents::WAS_ERASED, traces::read_trace};
pub use self::{
    contents::{Base, DEEPEST, HeldTexts, KeptTexts, LookedAtTexts, Named, NewContents, RunSalt, TextsLook},
    failures::{Evidence, EvidenceReads},
    segments::{
        DecidedStep, JudgedStep, KeysOfRun, LookedInto, LostStep, NewSegment, Place, RunLines, RunReading,
        RunRecords, SealedCounts, SegmentLines, SegmentsEnd, StepsUnder, StoredSegment,
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
