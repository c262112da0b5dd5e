//! What every answer of Logs says beside the record: where the fact comes from, and what it belongs to.

use std::{collections::BTreeSet, ops::Deref};

use chrono::{DateTime, Utc};
use drivers::{ReadTx, StoreError};
use models::{
    activity::Run,
    ids::{RunId, TenantId},
    incidents::RunIncident,
    logs::{LlmRunRecord, Origin, SystemRecord},
};
use proof::{
    canonical,
    hash::{Hash, sha256},
    records::EnforcementRecord,
    words::{ActorType, ReplayMode},
};
use serde_json::json;

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
    /// SHA-256 of the canonical JSON of the record as it is stored now.
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

impl<T> Deref for Logged<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

/// What a run's records of Logs have around them: read once for all of them.
pub(super) struct AroundRun {
    run: Run,
    enforcements: Vec<EnforcementRecord>,
    incidents: Vec<RunIncident>,
}

impl AroundRun {
    pub(super) async fn read(store: &ReadTx, run: Run) -> Result<Self, StoreError> {
        Ok(Self {
            enforcements: store.enforcements().of_run(run.tenant, run.id).await?,
            incidents: store.incident_runs().by_run(run.tenant, run.id).await?,
            run,
        })
    }

    pub(super) fn call(&self, record: LlmRunRecord) -> Logged<LlmRunRecord> {
        let step = Some(record.step_index);
        let fired = || self.enforcements.iter().filter(|fired| fired.step_index == step);
        let policy_ids: BTreeSet<String> = fired().map(|fired| fired.policy_id.clone()).collect();
        // A run meets an incident for the first time at one step; what struck again is told by what was enforced then.
        let met = self.incidents.iter().filter(|found| found.of.first_step_index == step);
        let incident_ids: BTreeSet<String> = met
            .map(|found| found.incident.id.to_string())
            .chain(fired().filter_map(|fired| fired.incident_id.clone()))
            .collect();
        let metadata = EvidenceMetadata {
            tenant: record.tenant,
            run_id: Some(record.run_id),
            actor_type: self.run.actor_type,
            actor_id: self.run.actor_id.clone(),
            occurred_at: record.started_at,
            recorded_at: record.created_at,
            correlation_id: Some(self.run.correlation_id.clone()),
            policy_ids: policy_ids.into_iter().collect(),
            incident_ids: incident_ids.into_iter().collect(),
            origin: origin(self.run.actor_type, self.run.replay_mode),
            checksum: checksum_of_call(&record),
        };
        Logged { record, metadata }
    }
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
