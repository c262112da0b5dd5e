//! Checkpoints and proofs of the two logs, as they are written.

use models::ledger::Checkpoint;
use orchestrator::handlers::logs::{AuditProof, Consistency};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    view::{Kept, Time, words},
};

/// How long a log is and what its root is, signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub(super) struct CheckpointView {
    checkpoint_id: String,
    #[schema(value_type = words::LogName)]
    log: &'static str,
    epoch: u64,
    tree_size: u64,
    root_hash: String,
    /// The signed note, as C2SP tlog-checkpoint writes it.
    note: String,
    /// The key that signed it; `/.well-known/hoc/keys` has its public half.
    key_id: String,
    created_at: Time,
}

/// Proof that an entry of the Audit Ledger is under a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditProof)]
pub(super) struct AuditProofView {
    entry_id: String,
    leaf_index: u64,
    leaf_hash: String,
    /// The canonical record, whose leaf hash is leaf_hash.
    record: Kept,
    /// From the leaf up to the checkpoint's root (RFC 9162, 2.1.3).
    inclusion: Vec<String>,
    checkpoint: CheckpointView,
}

/// Proof that a log begins with what it was before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consistency)]
pub(super) struct ConsistencyView {
    #[schema(value_type = words::LogName)]
    log: &'static str,
    /// Leaves of the shorter.
    from: u64,
    from_root: String,
    /// Leaves of the longer.
    to: u64,
    to_root: String,
    /// From one to the other (RFC 9162, 2.1.4).
    proof: Vec<String>,
}

impl From<Checkpoint> for CheckpointView {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint_id: checkpoint.id.to_string(),
            log: checkpoint.log.as_str(),
            epoch: checkpoint.epoch,
            tree_size: checkpoint.tree_size,
            root_hash: checkpoint.root_hash.to_string(),
            note: checkpoint.note,
            key_id: checkpoint.key_id,
            created_at: checkpoint.created_at.into(),
        }
    }
}

impl AuditProofView {
    pub(super) fn of(proof: AuditProof) -> Result<Self, Problem> {
        let AuditProof { entry, inclusion, checkpoint } = proof;
        let record = serde_json::to_string(&entry.record).map_err(|err| Problem::internal(&err))?;
        Ok(Self {
            entry_id: entry.record.id,
            leaf_index: entry.leaf_index,
            leaf_hash: entry.leaf_hash.to_string(),
            record: record.into(),
            inclusion: inclusion.iter().map(ToString::to_string).collect(),
            checkpoint: checkpoint.into(),
        })
    }
}

impl From<Consistency> for ConsistencyView {
    fn from(found: Consistency) -> Self {
        Self {
            log: found.log.as_str(),
            from: found.from,
            from_root: found.from_root.to_string(),
            to: found.to,
            to_root: found.to_root.to_string(),
            proof: found.proof.iter().map(ToString::to_string).collect(),
        }
    }
}
