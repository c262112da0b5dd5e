//! The leaves of a tenant's two logs: what opens, seals and governs, in one total order.
#![expect(missing_docs, reason = "the fields are named by spec 4; the structs say what they are")]

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    keys::{PublicKey, SigningKey},
    records::RecordKind,
    words::{
        Action, ActorType, Assurance, AuditEntityType, AuditEventType, IntegrityGrade, LogName, RunStatus,
    },
};

/// A leaf of the run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RunLeaf {
    #[serde(rename = "hoc/run-opened/v1")]
    Opened(OpenedLeaf),
    #[serde(rename = "hoc/run-sealed/v1")]
    Sealed(SealedLeaf),
    #[serde(rename = "hoc/run-addendum/v1")]
    Addendum(AddendumLeaf),
    #[serde(rename = "hoc/run-erased/v1")]
    Erased(ErasedLeaf),
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

/// A leaf that either log may have of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum MarkLeaf {
    #[serde(rename = "hoc/log-epoch/v1")]
    Epoch(EpochLeaf),
    #[serde(rename = "hoc/signing-key/v1")]
    SigningKey(SigningKeyLeaf),
}

/// An epoch begins: an older backup was restored, and somebody accepted that. What the log had beyond this leaf's
/// place is lost, and the checkpoint says how much that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLeaf {
    pub tenant_id: String,
    pub log: LogName,
    /// The epoch that begins: the origin of every checkpoint from here on.
    pub epoch: u64,
    /// The newest checkpoint that was kept outside the store: a signed note.
    pub lost_checkpoint: String,
    pub accepted_by: String,
    pub accepted_at: String,
}

/// Another key signs from here on. The old one says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeyLeaf {
    pub tenant_id: String,
    pub log: LogName,
    pub old_key_id: String,
    pub new_key_id: String,
    /// PEM.
    pub new_public_key: String,
    pub rotated_by: String,
    pub rotated_at: String,
    /// Base64 of the old key's Ed25519 signature over [`SigningKeyLeaf::signed_text`].
    pub signature: String,
}

impl SigningKeyLeaf {
    /// What the old key signs: every other member, a line each.
    #[must_use]
    pub fn signed_text(&self) -> String {
        let Self { tenant_id, log, old_key_id, new_key_id, new_public_key, rotated_by, rotated_at, .. } =
            self;
        format!(
            "hoc/signing-key/v1\n{tenant_id}\n{log}\n{old_key_id}\n{new_key_id}\n{rotated_by}\n{rotated_at}\n\
             {new_public_key}"
        )
    }

    /// Whether the old key is one of `keys`, and has signed this.
    #[must_use]
    pub fn is_signed(&self, keys: &[PublicKey]) -> bool {
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        let old = keys.iter().find(|key| key.id() == self.old_key_id);
        old.is_some_and(|key| key.verifies(self.signed_text().as_bytes(), &signature))
    }

    /// The same leaf with the old key's signature.
    #[must_use]
    pub fn signed(self, old: &SigningKey) -> Self {
        let signature = STANDARD.encode(old.sign(self.signed_text().as_bytes()));
        Self { signature, ..self }
    }
}

/// Something came to a run after it was sealed. Counts and roots are over everything that came late so far, in the
/// order in which it came: so the last addendum covers those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddendumLeaf {
    pub tenant_id: String,
    pub run_id: String,
    /// The addendum's own trace.
    pub trace_id: String,
    /// The run's trace.
    pub addendum_of: String,
    /// 0 for the run's first addendum.
    pub number: u64,
    /// Hash of the SEALED leaf.
    pub sealed_leaf: String,
    /// Merkle root over the late steps.
    pub root_hash: String,
    /// Hash of the last late step. The first one's `prev_hash` is `sealed_leaf`.
    pub chain_head: String,
    /// As of a receipt, over the late records.
    pub records_root: String,
    pub record_counts: BTreeMap<RecordKind, u64>,
    pub added_at: String,
}

/// What was kept of a run's texts, and their salt, was erased: who asked for it and why, and how much it was. What came
/// to the run after that is not kept either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedLeaf {
    pub tenant_id: String,
    pub run_id: String,
    /// Hash of the SEALED leaf.
    pub sealed_leaf: String,
    /// How many texts were kept, and how many bytes they had.
    pub text_count: u64,
    pub text_bytes: u64,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub reason: String,
    pub erased_at: String,
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
