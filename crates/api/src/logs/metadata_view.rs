//! What every answer of Logs says beside the record, as it is written.

use models::logs::AuditEntry;
use orchestrator::handlers::logs::{EvidenceMetadata, Logged};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::words;

/// Where a fact of Logs comes from, and what it belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EvidenceMetadata)]
pub(super) struct MetadataView {
    tenant_id: String,
    run_id: Option<String>,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    occurred_at: String,
    recorded_at: String,
    correlation_id: Option<String>,
    /// Rules and limits that it is about, or that fired on it.
    policy_ids: Vec<String>,
    /// Incidents that it is about, or that were opened for it.
    incident_ids: Vec<String>,
    #[schema(value_type = words::Origin)]
    origin: &'static str,
    /// The hash under which the Audit Ledger has it; of other records, SHA-256 of their canonical JSON.
    checksum: String,
}

/// A record of Logs, and what is said beside it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Logged)]
pub(super) struct LoggedView<T> {
    #[serde(flatten)]
    record: T,
    evidence_metadata: MetadataView,
}

impl<T, U: From<T>> From<Logged<T>> for LoggedView<U> {
    fn from(logged: Logged<T>) -> Self {
        Self { record: logged.record.into(), evidence_metadata: logged.metadata.into() }
    }
}

impl From<EvidenceMetadata> for MetadataView {
    fn from(metadata: EvidenceMetadata) -> Self {
        Self {
            tenant_id: metadata.tenant.to_string(),
            run_id: metadata.run_id.map(|id| id.to_string()),
            actor_type: metadata.actor_type.as_str(),
            actor_id: metadata.actor_id,
            occurred_at: models::time::text(metadata.occurred_at),
            recorded_at: models::time::text(metadata.recorded_at),
            correlation_id: metadata.correlation_id,
            policy_ids: metadata.policy_ids,
            incident_ids: metadata.incident_ids,
            origin: metadata.origin.as_str(),
            checksum: metadata.checksum.to_string(),
        }
    }
}

impl MetadataView {
    /// An entry of the Audit Ledger says all of this itself.
    pub(super) fn of(entry: &AuditEntry) -> Self {
        let record = &entry.record;
        let about = |kinds: &[&str]| {
            if kinds.contains(&record.entity_type.as_str()) {
                vec![record.entity_id.clone()]
            } else {
                Vec::new()
            }
        };
        Self {
            tenant_id: record.tenant_id.clone(),
            run_id: record.run_id.clone(),
            actor_type: record.actor_type.as_str(),
            actor_id: record.actor_id.clone(),
            // Who acts and the row that says so are one transaction.
            occurred_at: record.created_at.clone(),
            recorded_at: record.created_at.clone(),
            correlation_id: Some(record.correlation_id.clone()),
            policy_ids: about(&["POLICY_RULE", "LIMIT"]),
            incident_ids: about(&["INCIDENT"]),
            origin: record.actor_type.as_str(),
            checksum: entry.leaf_hash.to_string(),
        }
    }
}
