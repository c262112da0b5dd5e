//! Merkle trees of RFC 6962 and RFC 9162 over leaves that are already hashed.
//!
//! A log stores the nodes of its *complete* subtrees as they are completed ([`Frontier::append`] names them)
//! and never changes one; the right edge is computed when it is needed. A node is addressed by its level
//! (0: leaves) and its index within the level. Proofs say beforehand which stored nodes they need
//! ([`inclusion_nodes`], [`consistency_nodes`]), so that one query can fetch them.

mod check;
mod frontier;
mod prove;

use crate::hash::{Hash, sha256};

pub use check::{ProofError, verify_consistency, verify_inclusion};
pub use frontier::{CorruptFrontier, Frontier};
pub use prove::{
    MissingNode, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, root_at, root_nodes,
};

/// A node of a complete subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Height above the leaves, which are level 0.
    pub level: u32,
    /// Position within the level, from 0.
    pub index: u64,
    /// What it hashes to.
    pub hash: Hash,
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// The root over these leaf hashes.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}
