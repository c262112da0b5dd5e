//! Merkle trees of RFC 6962 and RFC 9162 over leaves that are already hashed.
//!
//! A log stores the nodes of its *complete* subtrees as they are completed ([`Frontier::append`] names them)
//! and never changes one; the right edge is computed when it is needed. A node is addressed by its level
//! (0: leaves) and its index within the level. Proofs say beforehand which stored nodes they need
//! ([`inclusion_nodes`], [`consistency_nodes`]), so that one query can fetch them.

mod check;
mod frontier;
mod node;
mod prove;

use crate::hash::Hash;

pub use check::{ProofError, verify_consistency, verify_inclusion};
pub use frontier::{CorruptFrontier, Frontier};
pub use node::{Node, empty_root};
pub use prove::{
    MissingNode, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, root_at, root_nodes,
};

/// The root over these leaf hashes.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}
