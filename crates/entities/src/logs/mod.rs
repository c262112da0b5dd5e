//! Tables of traces, evidence, records and the Audit Ledger.

pub mod aos_traces;
pub mod audit_ledger;
pub mod evidence_capture_failures;
pub mod llm_run_records;
pub mod run_contents;
pub mod run_salts;
pub mod run_segments;
pub mod step_keys;
pub mod system_records;
pub mod uncounted_steps;
