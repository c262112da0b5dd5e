//! The leaves of a tenant's two logs: what opens, seals and governs, in one total order.
#![expect(missing_docs, reason = "the fields are named by spec 4; the structs say what they are")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    records::RecordKind,
    words::{Action, ActorType, Assurance, AuditEntityType, AuditEventType, IntegrityGrade, RunStatus},
};

/// A leaf of the run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RunLeaf {
    #[serde(rename = "hoc/run-opened/v1")]
    Opened(OpenedLeaf),
    #[serde(rename = "hoc/run-sealed/v1")]
    Sealed(SealedLeaf),
}

/// A run began. Its hash is the `prev_hash` of the run's first step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedLeaf {
    pub tenant_id: String,
    pub run_id: String,
    pub started_at: String,
    pub snapshot_digest: String,
    pub environment_hash: String,
}

/// A run ended: its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedLeaf {
    pub tenant_id: String,
    pub run_id: String,
    pub trace_id: String,
    /// Merkle root over the steps.
    pub root_hash: String,
    /// Hash of the last step; of the OPENED leaf where there is none.
    pub chain_head: String,
    pub step_count: u64,
    pub refused_count: u64,
    pub verdict_tally: BTreeMap<Action, u64>,
    /// Merkle root over the [`KindRoot`] of every kind, in order.
    pub records_root: String,
    pub record_counts: BTreeMap<RecordKind, u64>,
    pub snapshot_digest: String,
    pub status: RunStatus,
    pub grade: IntegrityGrade,
    pub assurance: Assurance,
    pub sealed_at: String,
}

/// One leaf of the records tree: all records of a kind, by count and Merkle root in order of their key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRoot {
    pub kind: RecordKind,
    pub count: u64,
    pub root: String,
}

/// A leaf of the Audit Ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AuditLeaf {
    #[serde(rename = "hoc/audit-entry/v1")]
    Entry(AuditRecord),
}

/// One governance action: who did what to which, when, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    pub tenant_id: String,
    pub run_id: Option<String>,
    pub id: String,
    pub event_type: AuditEventType,
    pub entity_type: AuditEntityType,
    pub entity_id: String,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub action_reason: Option<String>,
    /// Canonical JSON.
    pub before_state: Option<String>,
    pub after_state: Option<String>,
    /// 1..n within a run, without holes.
    pub run_seq: Option<u64>,
    pub correlation_id: String,
    pub created_at: String,
}
