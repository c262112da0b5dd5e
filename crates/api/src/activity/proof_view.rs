//! A run's proof (O5), as it is written.

use models::logs::{LlmRunRecord, StepRow, Trace};
use orchestrator::coordinators::run_proof::{RawLogs, RunIntegrity, RunProof};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    logs::{LlmRunView, SystemView},
    view::{Kept, Time, words},
};

/// The proof of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunProof)]
pub(crate) struct ProofView {
    run_id: String,
    integrity: IntegrityView,
    aos_traces: Vec<TraceView>,
    aos_trace_steps: Vec<TraceStep>,
    /// The run's model calls and system records, with `include_payloads=true`.
    raw_logs: Option<RawLogsView>,
    verified_at: Time,
}

/// Whether the stored records are those that were sealed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunIntegrity)]
struct IntegrityView {
    /// Always `MERKLE_TREE`.
    model: &'static str,
    /// The root over the steps, recomputed.
    root_hash: Option<String>,
    /// How many steps the chain has, refused ones included.
    chain_length: u64,
    #[schema(value_type = words::VerificationStatus)]
    verification_status: &'static str,
    /// Which comparison failed, or why none was possible.
    failure_reason: Option<String>,
}

/// A trace, as it is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trace)]
struct TraceView {
    trace_id: String,
    run_id: String,
    attempt: u64,
    addendum_of: Option<String>,
    agent_id: Option<String>,
    correlation_id: String,
    #[schema(value_type = words::TraceStatus)]
    status: &'static str,
    abort_reason: Option<String>,
    schema_version: String,
    #[schema(value_type = serde_json::Value)]
    metadata: Option<Kept>,
    root_hash: Option<String>,
    chain_head: String,
    step_count: u64,
    refused_count: u64,
    failure_count: u64,
    started_at: Time,
    completed_at: Option<Time>,
    opened_leaf_index: u64,
    sealed_leaf_index: Option<u64>,
}

/// A step, as it is stored and hashed.
#[derive(Debug, Serialize, ToSchema)]
struct TraceStep {
    step_index: u64,
    step_hash: String,
    #[schema(value_type = words::Assurance)]
    assurance: &'static str,
    /// The canonical record, whose hash is step_hash (docs/bundle.md).
    record: Kept,
}

/// The run's raw logs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RawLogs)]
struct RawLogsView {
    llm_run_records: Vec<LlmRunView>,
    system_records: Vec<SystemView>,
}

impl ProofView {
    pub(crate) fn of(proof: RunProof) -> Result<Self, Problem> {
        // Each step is let go of as it is written.
        let steps: Result<_, _> =
            proof.aos_trace_steps.into_iter().map(|step| TraceStep::of(&step)).collect();
        Ok(Self {
            run_id: proof.run_id.to_string(),
            integrity: proof.integrity.into(),
            aos_traces: proof.aos_traces.into_iter().map(TraceView::from).collect(),
            aos_trace_steps: steps.map_err(|err: serde_json::Error| Problem::internal(&err))?,
            raw_logs: proof.raw_logs.map(RawLogsView::from),
            verified_at: proof.verified_at.into(),
        })
    }
}

impl From<RunIntegrity> for IntegrityView {
    fn from(integrity: RunIntegrity) -> Self {
        Self {
            model: "MERKLE_TREE",
            root_hash: integrity.root_hash.map(|hash| hash.to_string()),
            chain_length: integrity.chain_length,
            verification_status: integrity.verification_status.as_str(),
            failure_reason: integrity.failure_reason,
        }
    }
}

impl TraceStep {
    fn of(step: &StepRow) -> Result<Self, serde_json::Error> {
        Ok(Self {
            step_index: step.record.step_index,
            step_hash: step.step_hash.to_string(),
            assurance: step.assurance().as_str(),
            record: serde_json::to_string(&step.record)?.into(),
        })
    }
}

impl From<Trace> for TraceView {
    fn from(trace: Trace) -> Self {
        Self {
            trace_id: trace.id.to_string(),
            run_id: trace.run_id.to_string(),
            attempt: trace.attempt,
            addendum_of: trace.addendum_of.map(|id| id.to_string()),
            agent_id: trace.agent_id,
            correlation_id: trace.correlation_id,
            status: trace.status.as_str(),
            abort_reason: trace.abort_reason,
            schema_version: trace.schema_version,
            metadata: trace.metadata.map(Kept::from),
            root_hash: trace.root_hash.map(|hash| hash.to_string()),
            chain_head: trace.chain_head.to_string(),
            step_count: trace.step_count,
            refused_count: trace.refused_count,
            failure_count: trace.failure_count,
            started_at: trace.started_at.into(),
            completed_at: trace.completed_at.map(Time),
            opened_leaf_index: trace.opened_leaf_index,
            sealed_leaf_index: trace.sealed_leaf_index,
        }
    }
}

impl From<RawLogs> for RawLogsView {
    fn from(raw: RawLogs) -> Self {
        Self {
            llm_run_records: raw
                .llm_run_records
                .into_iter()
                .map(|record: LlmRunRecord| record.into())
                .collect(),
            system_records: raw.system_records.into_iter().map(SystemView::from).collect(),
        }
    }
}
