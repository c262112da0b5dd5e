//! Checking proofs, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 tell it.

use super::node::empty_root;
use crate::hash::{self, Hash};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is beyond the tree, or the older tree is the larger one.
    #[error("the proof speaks of leaves beyond the tree")]
    OutOfRange,
    /// Too few or too many hashes for these sizes.
    #[error("the proof has not the length that its tree asks for")]
    WrongLength,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// Where one climbs from: the node's index, and the index of the last node of its level.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Whether the next hash is the left neighbour.
    fn neighbour_is_left(&self) -> bool {
        self.node & 1 == 1 || self.node == self.last
    }

    /// One level up. A last node without a right neighbour is its own parent, for as many levels as that lasts.
    fn up(&mut self) {
        while self.node & 1 == 0 && self.node != 0 {
            self.shift();
        }
        self.shift();
    }

    fn shift(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Checks that `leaf` is at `index` of the tree of `size` leaves with this `root`.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut computed = leaf;
    for neighbour in proof {
        if climb.last == 0 {
            return Err(ProofError::WrongLength);
        }
        if climb.neighbour_is_left() {
            computed = hash::node(*neighbour, computed);
            climb.up();
        } else {
            computed = hash::node(computed, *neighbour);
            climb.shift();
        }
    }
    match climb.last {
        0 if computed == root => Ok(()),
        0 => Err(ProofError::WrongRoot),
        _ => Err(ProofError::WrongLength),
    }
}

/// Checks that the tree of `to` leaves with `to_root` begins with the tree of `from` leaves with `from_root`.
pub fn verify_consistency(
    from: u64,
    from_root: Hash,
    to: u64,
    to_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError::OutOfRange);
    }
    if from == 0 || from == to {
        let expected = if from == to { to_root } else { empty_root() };
        return match proof {
            [] if from_root == expected => Ok(()),
            [] => Err(ProofError::WrongRoot),
            _ => Err(ProofError::WrongLength),
        };
    }
    let (first, rest) = match proof {
        [] => return Err(ProofError::WrongLength),
        _ if from.is_power_of_two() => (from_root, proof),
        [first, rest @ ..] => (*first, rest),
    };
    let mut climb = Climb { node: from - 1, last: to - 1 };
    while climb.node & 1 == 1 {
        climb.shift();
    }
    let (mut older, mut newer) = (first, first);
    for neighbour in rest {
        if climb.last == 0 {
            return Err(ProofError::WrongLength);
        }
        if climb.neighbour_is_left() {
            older = hash::node(*neighbour, older);
            newer = hash::node(*neighbour, newer);
            climb.up();
        } else {
            newer = hash::node(newer, *neighbour);
            climb.shift();
        }
    }
    match climb.last {
        0 if older == from_root && newer == to_root => Ok(()),
        0 => Err(ProofError::WrongRoot),
        _ => Err(ProofError::WrongLength),
    }
}
