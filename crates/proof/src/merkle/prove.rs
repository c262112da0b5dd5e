//! Making proofs from stored nodes of complete subtrees.
//!
//! Each step of a proof is the root over a range of leaves. A range that RFC 6962's recursion visits begins
//! at a multiple of the power of two above its length, so it splits into complete subtrees whose sizes are
//! the bits of its length; they are folded from the right.

use super::node::empty_root;
use crate::hash::{self, Hash};

/// A node of a complete subtree that ought to be stored and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {index} of level {level} is not stored")]
pub struct MissingNode {
    /// Height above the leaves.
    pub level: u32,
    /// Position within the level.
    pub index: u64,
}

/// Leaves `start..end`.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}

impl Range {
    /// The complete subtrees it consists of, left to right: level and index.
    fn subtrees(self) -> Vec<(u32, u64)> {
        let mut at = self.start;
        let mut subtrees = Vec::new();
        for level in (0..u64::BITS).rev().filter(|level| (self.end - self.start) >> level & 1 == 1) {
            subtrees.push((level, at >> level));
            at += 1 << level;
        }
        subtrees
    }

    fn root(self, source: &impl Fn(u32, u64) -> Option<Hash>) -> Result<Hash, MissingNode> {
        let stored = |(level, index)| source(level, index).ok_or(MissingNode { level, index });
        let mut subtrees = self.subtrees().into_iter().rev();
        let Some(last) = subtrees.next() else { return Ok(empty_root()) };
        subtrees.try_fold(stored(last)?, |right, left| Ok(hash::node(stored(left)?, right)))
    }
}

/// The largest power of two below `length`, which is at least 2.
const fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The ranges whose roots prove leaf `index` in the tree of `size` leaves, from the leaf upward.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    if index >= size {
        return ranges;
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(Range { start: middle, end });
            end = middle;
        } else {
            ranges.push(Range { start, end: middle });
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges whose roots prove that the tree of `to` leaves begins with the tree of `from`.
fn consistency_ranges(from: u64, to: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    if from == 0 || from >= to {
        return ranges;
    }
    let (mut start, mut end) = (0, to);
    while from != end {
        let middle = start + split(end - start);
        if from <= middle {
            ranges.push(Range { start: middle, end });
            end = middle;
        } else {
            ranges.push(Range { start, end: middle });
            start = middle;
        }
    }
    if start > 0 {
        ranges.push(Range { start, end });
    }
    ranges.reverse();
    ranges
}

fn nodes(ranges: &[Range]) -> Vec<(u32, u64)> {
    ranges.iter().flat_map(|range| range.subtrees()).collect()
}

fn roots(ranges: &[Range], source: &impl Fn(u32, u64) -> Option<Hash>) -> Result<Vec<Hash>, MissingNode> {
    ranges.iter().map(|range| range.root(source)).collect()
}

/// The stored nodes (level, index) that [`inclusion_proof`] will ask for.
#[must_use]
pub fn inclusion_nodes(index: u64, size: u64) -> Vec<(u32, u64)> {
    nodes(&inclusion_ranges(index, size))
}

/// Proof that leaf `index` is in the tree of `size` leaves. `source` gives stored nodes by level and index.
/// An index beyond the size gives an empty proof, which proves nothing.
pub fn inclusion_proof(
    index: u64,
    size: u64,
    source: impl Fn(u32, u64) -> Option<Hash>,
) -> Result<Vec<Hash>, MissingNode> {
    roots(&inclusion_ranges(index, size), &source)
}

/// The stored nodes (level, index) that [`consistency_proof`] will ask for.
#[must_use]
pub fn consistency_nodes(from: u64, to: u64) -> Vec<(u32, u64)> {
    nodes(&consistency_ranges(from, to))
}

/// Proof that the tree of `to` leaves begins with the tree of `from` leaves.
pub fn consistency_proof(
    from: u64,
    to: u64,
    source: impl Fn(u32, u64) -> Option<Hash>,
) -> Result<Vec<Hash>, MissingNode> {
    roots(&consistency_ranges(from, to), &source)
}

/// The stored nodes (level, index) that [`root_at`] will ask for.
#[must_use]
pub fn root_nodes(size: u64) -> Vec<(u32, u64)> {
    nodes(&[Range { start: 0, end: size }])
}

/// The root that a log had when it had `size` leaves.
pub fn root_at(size: u64, source: impl Fn(u32, u64) -> Option<Hash>) -> Result<Hash, MissingNode> {
    Range { start: 0, end: size }.root(&source)
}
