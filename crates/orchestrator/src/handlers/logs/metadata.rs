//! What every answer of Logs says beside the record: where the fact comes from, and what it belongs to.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use drivers::ReadTx;
use models::{
    activity::Run,
    ids::{RunId, TenantId},
    incidents::RunIncident,
    ledger::RunLeafType,
    logs::{LlmRunRecord, Origin, SystemRecord},
};
use proof::{
    canonical,
    hash::{Hash, sha256},
    records::EnforcementRecord,
    words::{ActorType, ReplayMode},
};
use serde_json::json;

use crate::errors::Error;

/// Where a fact of Logs comes from, and what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceMetadata {
    /// Whose it is.
    pub tenant: TenantId,
    /// The run that it is of.
    pub run_id: Option<RunId>,
    /// Who or what made it happen.
    pub actor_type: ActorType,
    /// Which one.
    pub actor_id: Option<String>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was stored.
    pub recorded_at: DateTime<Utc>,
    /// What ties it to other records.
    pub correlation_id: Option<String>,
    /// Rules and limits that fired on it.
    pub policy_ids: Vec<String>,
    /// Incidents that it opened or joined.
    pub incident_ids: Vec<String>,
    /// How it came here.
    pub origin: Origin,
    /// SHA-256 of the canonical JSON of the record as it is stored now; of a call whose texts were erased without the
    /// hashes of them.
    pub checksum: Hash,
}

/// A record, and what is said beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged<T> {
    /// The record as it is stored.
    pub record: T,
    /// What is said beside it.
    pub metadata: EvidenceMetadata,
}

/// Calls to models with what is said beside them; what they have around them is read once for all of them.
pub(super) async fn calls(
    store: &ReadTx,
    tenant: TenantId,
    calls: Vec<LlmRunRecord>,
) -> Result<Vec<Logged<LlmRunRecord>>, Error> {
    let steps: Vec<(RunId, u64)> = calls.iter().map(|call| (call.run_id, call.step_index)).collect();
    let ids: Vec<RunId> = steps.iter().map(|(run, _)| *run).collect();
    let runs = store.activity().find_runs(tenant, &ids).await?;
    let runs: HashMap<RunId, Run> = runs.into_iter().map(|run| (run.id, run)).collect();
    let enforcements = store.enforcements().of_steps(tenant, &steps).await?;
    let incidents = store.incident_runs().by_runs(tenant, &ids).await?;
    // What was erased could be found by hashes of it, by whoever records guesses and reads theirs.
    let erased = store.ledger().runs_with_leaf(tenant, &ids, RunLeafType::Erased).await?;
    let logged = |mut record: LlmRunRecord| {
        if erased.contains(&record.run_id) {
            (record.prompt_hash, record.response_hash) = (None, None);
        }
        let run = runs.get(&record.run_id);
        let run =
            run.ok_or_else(|| Error::Internal(format!("{} is of a run that is not there", record.id)))?;
        Ok(call(run, &enforcements, &incidents, record))
    };
    calls.into_iter().map(logged).collect()
}

fn call(
    run: &Run,
    enforcements: &[EnforcementRecord],
    incidents: &[RunIncident],
    record: LlmRunRecord,
) -> Logged<LlmRunRecord> {
    let (run_id, step) = (Some(record.run_id.to_string()), Some(record.step_index));
    let fired = || enforcements.iter().filter(|fired| fired.run_id == run_id && fired.step_index == step);
    let policy_ids: BTreeSet<String> = fired().map(|fired| fired.policy_id.clone()).collect();
    // A run meets an incident for the first time at one step; what struck again is told by what was enforced then.
    let met = incidents.iter().map(|found| (&found.of, &found.incident));
    let met = met.filter(|(of, _)| of.run_id == record.run_id && of.first_step_index == step);
    let incident_ids: BTreeSet<String> = met
        .map(|(_, incident)| incident.id.to_string())
        .chain(fired().filter_map(|fired| fired.incident_id.clone()))
        .collect();
    let metadata = EvidenceMetadata {
        tenant: record.tenant,
        run_id: Some(record.run_id),
        actor_type: run.actor_type,
        actor_id: run.actor_id.clone(),
        occurred_at: record.started_at,
        recorded_at: record.created_at,
        correlation_id: Some(run.correlation_id.clone()),
        policy_ids: policy_ids.into_iter().collect(),
        incident_ids: incident_ids.into_iter().collect(),
        origin: origin(run.actor_type, run.replay_mode),
        checksum: checksum_of_call(&record),
    };
    Logged { record, metadata }
}

pub(super) fn event(record: SystemRecord) -> Logged<SystemRecord> {
    let metadata = EvidenceMetadata {
        tenant: record.tenant,
        run_id: None,
        actor_type: ActorType::System,
        actor_id: record.caused_by.clone(),
        occurred_at: record.created_at,
        recorded_at: record.created_at,
        correlation_id: record.correlation_id.clone(),
        policy_ids: Vec::new(),
        incident_ids: Vec::new(),
        origin: Origin::System,
        checksum: checksum_of_event(&record),
    };
    Logged { record, metadata }
}

fn origin(actor: ActorType, replay: Option<ReplayMode>) -> Origin {
    match (replay, actor) {
        (Some(_), _) => Origin::Replay,
        (None, ActorType::Human) => Origin::Human,
        (None, ActorType::Agent) => Origin::Agent,
        (None, ActorType::System) => Origin::System,
    }
}

fn checksum_of_call(record: &LlmRunRecord) -> Hash {
    let hash = |hash: Option<Hash>| hash.map(|hash| hash.to_string());
    sha256(&canonical::to_bytes(&json!({
        "tenant_id": record.tenant,
        "id": record.id,
        "run_id": record.run_id,
        "trace_id": record.trace_id,
        "step_index": record.step_index,
        "provider": record.provider,
        "model": record.model,
        "prompt_hash": hash(record.prompt_hash),
        "response_hash": hash(record.response_hash),
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cache_read_tokens": record.cache_read_tokens,
        "cache_write_tokens": record.cache_write_tokens,
        "reasoning_tokens": record.reasoning_tokens,
        "cost_nanousd": record.cost_nanousd,
        "cost_known": record.cost_known,
        "cost_note": record.cost_note,
        "execution_status": record.execution_status,
        "started_at": models::time::text(record.started_at),
        "completed_at": record.completed_at.map(models::time::text),
        "source": record.source,
        "is_synthetic": record.is_synthetic,
        "synthetic_scenario_id": record.synthetic_scenario_id,
        "created_at": models::time::text(record.created_at),
    })))
}

fn checksum_of_event(record: &SystemRecord) -> Hash {
    sha256(&canonical::to_bytes(&json!({
        "tenant_id": record.tenant,
        "id": record.id,
        "component": record.component,
        "event_type": record.event_type,
        "severity": record.severity,
        "summary": record.summary,
        "details": record.details,
        "caused_by": record.caused_by,
        "correlation_id": record.correlation_id,
        "created_at": models::time::text(record.created_at),
    })))
}
