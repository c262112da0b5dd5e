//! Ledger: the two logs of a tenant, as Merkle trees that only grow.
#![expect(missing_docs, reason = "the fields are named by spec 4; the structs say what they are")]

use chrono::{DateTime, Utc};
use proof::{
    hash::Hash,
    leaves::{MarkLeaf, RunLeaf},
    merkle::{Frontier, Node},
    words::LogName,
};

use crate::ids::{CheckpointId, RunId, TenantId};

proof::words! {
    /// What a leaf of the run log says. A run has exactly one OPENED and, once it is over, one SEALED;
    /// one ADDENDUM for each time that something came later; at most one ERASED.
    RunLeafType { Opened = "OPENED", Sealed = "SEALED", Addendum = "ADDENDUM", Erased = "ERASED" }

    /// What a log says of itself.
    MarkType { Epoch = "EPOCH", SigningKey = "SIGNING_KEY" }
}

/// The head of a log: the right edge of its tree. Locked last.
#[derive(Clone, Debug, PartialEq)]
pub struct LogHead {
    pub tenant: TenantId,
    pub log: LogName,
    /// Goes up when a restore of an older backup is accepted; the tree goes on.
    pub epoch: u64,
    pub frontier: Frontier,
    /// The time of the newest leaf; it never goes back.
    pub last_at: Option<DateTime<Utc>>,
}

impl LogHead {
    /// That of a log before its first leaf.
    #[must_use]
    pub fn empty(tenant: TenantId, log: LogName) -> Self {
        Self { tenant, log, epoch: 0, frontier: Frontier::default(), last_at: None }
    }
}

/// A leaf of the run log.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLogEntry {
    pub tenant: TenantId,
    pub leaf_index: u64,
    pub leaf_hash: Hash,
    pub run_id: RunId,
    pub leaf: RunLeaf,
    pub created_at: DateTime<Utc>,
}

impl RunLogEntry {
    /// What its leaf says.
    #[must_use]
    pub const fn leaf_type(&self) -> RunLeafType {
        match self.leaf {
            RunLeaf::Opened(_) => RunLeafType::Opened,
            RunLeaf::Sealed(_) => RunLeafType::Sealed,
            RunLeaf::Addendum(_) => RunLeafType::Addendum,
            RunLeaf::Erased(_) => RunLeafType::Erased,
        }
    }
}

/// A leaf that a log has of itself, between those of what it records.
#[derive(Clone, Debug, PartialEq)]
pub struct LogMark {
    pub tenant: TenantId,
    pub log: LogName,
    pub leaf_index: u64,
    pub leaf_hash: Hash,
    pub mark: MarkLeaf,
    pub created_at: DateTime<Utc>,
}

impl LogMark {
    /// What its leaf says.
    #[must_use]
    pub const fn mark_type(&self) -> MarkType {
        match self.mark {
            MarkLeaf::Epoch(_) => MarkType::Epoch,
            MarkLeaf::SigningKey(_) => MarkType::SigningKey,
        }
    }
}

/// A node over a complete subtree. The right edge is not stored: it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeNode {
    pub log: LogName,
    /// 0 for leaves.
    pub level: u32,
    pub index: u64,
    pub hash: Hash,
}

impl TreeNode {
    /// A node of this log's tree.
    #[must_use]
    pub const fn of(log: LogName, node: Node) -> Self {
        let Node { level, index, hash } = node;
        Self { log, level, index, hash }
    }
}

/// A signed statement of how long a log is and what its root is.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub tenant: TenantId,
    pub id: CheckpointId,
    pub log: LogName,
    pub epoch: u64,
    pub tree_size: u64,
    pub root_hash: Hash,
    /// The signed note, as C2SP writes it.
    pub note: String,
    pub key_id: String,
    pub created_at: DateTime<Utc>,
}
