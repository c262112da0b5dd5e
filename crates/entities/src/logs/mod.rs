//! Tables of traces, evidence, records and the Audit Ledger.

pub mod activity_evidence;
pub mod aos_trace_steps;
pub mod aos_traces;
pub mod audit_ledger;
pub mod environment_evidence;
pub mod evidence_capture_failures;
pub mod gaps;
pub mod integrity_evidence;
pub mod llm_run_records;
pub mod provider_evidence;
pub mod system_records;
pub mod uncounted_steps;
