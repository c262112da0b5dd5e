//! A node of a tree, and the root of the tree that has none.

use crate::hash::{Hash, sha256};

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
