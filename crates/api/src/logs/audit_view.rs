//! An entry of the Audit Ledger, as it is written.

use models::logs::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use super::metadata_view::MetadataView;
use crate::view::{Kept, words};

/// An entry of the Audit Ledger, in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    id: String,
    #[schema(value_type = words::AuditEventType)]
    event_type: &'static str,
    #[schema(value_type = words::AuditEntityType)]
    entity_type: &'static str,
    entity_id: String,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    action_reason: Option<String>,
    created_at: String,
    evidence_metadata: MetadataView,
}

/// An entry of the Audit Ledger, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditDetail {
    #[serde(flatten)]
    item: AuditItem,
    #[schema(value_type = serde_json::Value)]
    before_state: Option<Kept>,
    #[schema(value_type = serde_json::Value)]
    after_state: Option<Kept>,
    run_id: Option<String>,
    /// 1..n within the run, without holes.
    run_seq: Option<u64>,
    correlation_id: String,
    /// Its place in the log.
    leaf_index: u64,
    leaf_hash: String,
}

impl From<AuditEntry> for AuditItem {
    fn from(entry: AuditEntry) -> Self {
        let evidence_metadata = MetadataView::of(&entry);
        let record = entry.record;
        Self {
            id: record.id,
            event_type: record.event_type.as_str(),
            entity_type: record.entity_type.as_str(),
            entity_id: record.entity_id,
            actor_type: record.actor_type.as_str(),
            actor_id: record.actor_id,
            action_reason: record.action_reason,
            created_at: record.created_at,
            evidence_metadata,
        }
    }
}

impl From<AuditEntry> for AuditDetail {
    fn from(mut entry: AuditEntry) -> Self {
        Self {
            before_state: entry.record.before_state.take().map(Kept::from),
            after_state: entry.record.after_state.take().map(Kept::from),
            run_id: entry.record.run_id.clone(),
            run_seq: entry.record.run_seq,
            correlation_id: entry.record.correlation_id.clone(),
            leaf_index: entry.leaf_index,
            leaf_hash: entry.leaf_hash.to_string(),
            item: entry.into(),
        }
    }
}
