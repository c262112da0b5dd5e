//! The left-to-right roots of a growing tree's complete subtrees: all it takes to append and to know the root.

use super::node::{Node, empty_root};
use crate::hash::{self, Hash};

/// A tree known by its size and the roots of its complete subtrees, largest first (a compact range from 0).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

/// Stored bytes that are no frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no Merkle frontier")]
pub struct CorruptFrontier;

impl Frontier {
    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes it holds beside itself.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.roots.capacity() * size_of::<Hash>()
    }

    /// Adds a leaf and names the nodes that it completes, lowest first: the leaf itself (level 0), then each
    /// subtree of which it is the last leaf.
    pub fn append(&mut self, leaf: Hash) -> Vec<Node> {
        let mut completed = Vec::with_capacity(1 + self.size.trailing_ones() as usize);
        self.add(leaf, |node| completed.push(node));
        completed
    }

    /// Adds a leaf where nobody stores nodes.
    pub fn push(&mut self, leaf: Hash) {
        self.add(leaf, |_| ());
    }

    fn add(&mut self, leaf: Hash, mut completed: impl FnMut(Node)) {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        completed(node);
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.roots.pop() else { unreachable!("one root for each bit of the size") };
            node = Node { level: node.level + 1, index: node.index >> 1, hash: hash::node(left, node.hash) };
            completed(node);
        }
        self.roots.push(node.hash);
        self.size += 1;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return empty_root() };
        roots.fold(*last, |right, left| hash::node(*left, right))
    }

    /// The size as eight bytes, big-endian, then the roots.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.roots.len());
        self.write(&mut bytes);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote, and nothing longer.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, CorruptFrontier> {
        let frontier = Self::read(&mut bytes)?;
        if bytes.is_empty() { Ok(frontier) } else { Err(CorruptFrontier) }
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.size.to_be_bytes());
        self.roots.iter().for_each(|root| bytes.extend_from_slice(&root.0));
    }

    pub(crate) fn read(bytes: &mut &[u8]) -> Result<Self, CorruptFrontier> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(CorruptFrontier)?;
        let size = u64::from_be_bytes(*size);
        let len = 32 * size.count_ones() as usize;
        let (roots, rest) = rest.split_at_checked(len).ok_or(CorruptFrontier)?;
        *bytes = rest;
        Ok(Self { size, roots: roots.chunks_exact(32).filter_map(Hash::from_slice).collect() })
    }
}
