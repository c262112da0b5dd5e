//! RFC 6962 and RFC 9162: the vectors of Certificate Transparency, and `ct-merkle` as an oracle.

use std::collections::HashMap;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proof::{
    hash::{Hash, leaf, sha256},
    merkle::{
        CorruptFrontier, Frontier, MissingNode, Node, ProofError, consistency_nodes, consistency_proof,
        empty_root, inclusion_nodes, inclusion_proof, root_at, root_nodes, root_of, verify_consistency,
        verify_inclusion,
    },
};
use proptest::prelude::*;
use sha2::Sha256;

/// The leaves of Certificate Transparency's reference tests, in hex (transparency-dev/merkle).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The root over the first 0, 1, ... 8 of them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Leaf (from 0), size, proof.
const INCLUSION: &[(u64, u64, &[&str])] = &[
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// From, to, proof.
const CONSISTENCY: &[(u64, u64, &[&str])] = &[
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

/// A log as a store keeps it: a frontier, and the nodes that appending completed.
struct Log {
    frontier: Frontier,
    roots: Vec<Hash>,
    leaves: Vec<Hash>,
    nodes: HashMap<(u32, u64), Hash>,
}

impl Log {
    fn of(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut log = Self {
            frontier: Frontier::default(),
            roots: vec![empty_root()],
            leaves: vec![],
            nodes: HashMap::new(),
        };
        for leaf in leaves {
            for Node { level, index, hash } in log.frontier.append(leaf) {
                assert!(log.nodes.insert((level, index), hash).is_none(), "a node is completed once");
            }
            log.leaves.push(leaf);
            log.roots.push(log.frontier.root());
        }
        log
    }

    fn numbered(size: u64) -> Self {
        Self::of((0..size).map(|at| leaf(&at.to_be_bytes())))
    }

    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        inclusion_proof(index, size, |level, index| self.node(level, index)).expect("stored")
    }

    fn consistency(&self, from: u64, to: u64) -> Vec<Hash> {
        consistency_proof(from, to, |level, index| self.node(level, index)).expect("stored")
    }
}

fn published() -> Log {
    Log::of(LEAVES.iter().map(|hex| leaf(&hex::decode(hex).expect("hex"))))
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| hex.parse().expect("a hash")).collect()
}

#[test]
fn the_published_roots_hold() {
    let log = published();
    assert_eq!(log.roots, hashes(&ROOTS));
    for size in 0..=8 {
        assert_eq!(root_of(&log.leaves[..size]), log.roots[size]);
        assert_eq!(root_at(size as u64, |level, index| log.node(level, index)), Ok(log.roots[size]));
    }
}

#[test]
fn the_published_inclusion_proofs_hold() {
    let log = published();
    for (index, size, proof) in INCLUSION {
        assert_eq!(log.inclusion(*index, *size), hashes(proof));
        let (at, of) = (usize::try_from(*index).expect("small"), usize::try_from(*size).expect("small"));
        assert_eq!(verify_inclusion(log.leaves[at], *index, *size, &hashes(proof), log.roots[of]), Ok(()));
    }
}

#[test]
fn the_published_consistency_proofs_hold() {
    let log = published();
    for (from, to, proof) in CONSISTENCY {
        assert_eq!(log.consistency(*from, *to), hashes(proof));
        let root = |size: &u64| log.roots[usize::try_from(*size).expect("small")];
        assert_eq!(verify_consistency(*from, root(from), *to, root(to), &hashes(proof)), Ok(()));
    }
}

/// What Certificate Transparency's own tests do to a proof: each must be refused.
#[test]
fn a_corrupted_inclusion_proof_is_refused() {
    let log = Log::numbered(70);
    for size in 1..70u64 {
        for index in 0..size {
            let (proof, root) =
                (log.inclusion(index, size), log.roots[usize::try_from(size).expect("small")]);
            let leaf = log.leaves[usize::try_from(index).expect("small")];
            let refused = |index, size, leaf, proof: &[Hash], root| {
                assert!(verify_inclusion(leaf, index, size, proof, root).is_err(), "{index} of {size}");
            };
            assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
            for other in [index.wrapping_sub(1), index + 1, index ^ 2] {
                refused(other, size, leaf, &proof, root);
            }
            refused(index, size * 2, leaf, &proof, root);
            refused(index, size / 2, leaf, &proof, root);
            refused(index, size, sha256(b"other"), &proof, root);
            refused(index, size, leaf, &proof, empty_root());
            refused(index, size, leaf, &[&proof[..], &[root]].concat(), root);
            refused(index, size, leaf, &[&[root], &proof[..]].concat(), root);
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at].0[0] ^= 8;
                refused(index, size, leaf, &changed, root);
                let mut shorter = proof.clone();
                shorter.remove(at);
                refused(index, size, leaf, &shorter, root);
            }
        }
    }
}

#[test]
fn a_corrupted_consistency_proof_is_refused() {
    let log = Log::numbered(40);
    let root = |size: u64| log.roots[usize::try_from(size).expect("small")];
    for to in 1..40u64 {
        for from in 1..to {
            let proof = log.consistency(from, to);
            let refused = |from, older, to, newer, proof: &[Hash]| {
                assert!(verify_consistency(from, older, to, newer, proof).is_err(), "{from} to {to}");
            };
            assert_eq!(verify_consistency(from, root(from), to, root(to), &proof), Ok(()));
            refused(from - 1, root(from), to, root(to), &proof);
            refused(from + 1, root(from), to, root(to), &proof);
            refused(from ^ 2, root(from), to, root(to), &proof);
            refused(from, root(from), to * 2, root(to), &proof);
            refused(from, root(from), to / 2, root(to), &proof);
            refused(from, sha256(b"other"), to, root(to), &proof);
            refused(from, root(from), to, sha256(b"other"), &proof);
            refused(from, root(to), to, root(from), &proof);
            refused(from, root(from), to, root(to), &[]);
            refused(from, root(from), to, root(to), &[&proof[..], &[root(from)]].concat());
            refused(from, root(from), to, root(to), &[&[root(from)], &proof[..]].concat());
            refused(from, root(from), to, root(to), &[&proof[..1], &proof[..]].concat());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at].0[0] ^= 16;
                refused(from, root(from), to, root(to), &changed);
                let mut shorter = proof.clone();
                shorter.remove(at);
                refused(from, root(from), to, root(to), &shorter);
            }
        }
    }
}

#[test]
fn sizes_without_anything_to_prove() {
    let (older, newer) = (sha256(b"older"), sha256(b"newer"));
    assert_eq!(verify_consistency(0, empty_root(), 5, newer, &[]), Ok(()));
    assert_eq!(verify_consistency(5, newer, 5, newer, &[]), Ok(()));
    assert_eq!(verify_consistency(0, older, 5, newer, &[]), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency(5, older, 5, newer, &[]), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency(5, newer, 5, newer, &[older]), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency(6, older, 5, newer, &[]), Err(ProofError::OutOfRange));
    assert_eq!(verify_inclusion(older, 0, 0, &[], older), Err(ProofError::OutOfRange));
    assert_eq!(verify_inclusion(older, 0, 1, &[], older), Ok(()));
}

#[test]
fn a_node_that_is_not_stored_is_named() {
    let log = Log::numbered(8);
    let missing = inclusion_proof(0, 8, |level, index| (level < 2).then(|| log.node(level, index)).flatten());
    assert_eq!(missing, Err(MissingNode { level: 2, index: 1 }));
}

#[test]
fn a_frontier_reads_back_what_it_wrote_and_nothing_else() {
    let bytes = Log::numbered(13).frontier.to_bytes();
    assert_eq!(bytes.len(), 8 + 3 * 32);
    assert_eq!(Frontier::from_bytes(&bytes).expect("its own").to_bytes(), bytes);
    for wrong in [&bytes[1..], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat(), &[]] {
        assert_eq!(Frontier::from_bytes(wrong), Err(CorruptFrontier));
    }
}

/// `ct-merkle`'s tree over the same leaves.
fn oracle(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    for leaf in leaves {
        tree.push(leaf.clone());
    }
    tree
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

proptest! {
    #[test]
    fn roots_and_proofs_are_those_of_ct_merkle(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 1..150),
        at in any::<prop::sample::Index>(),
        older in any::<prop::sample::Index>(),
    ) {
        let log = Log::of(leaves.iter().map(|bytes| leaf(bytes)));
        let tree = oracle(&leaves);
        let size = leaves.len();
        prop_assert_eq!(log.frontier.root().0.to_vec(), tree.root().as_bytes().to_vec());

        let index = at.index(size);
        let proof = log.inclusion(index as u64, size as u64);
        prop_assert_eq!(bytes(&proof), tree.prove_inclusion(index).as_bytes().to_vec());

        let from = 1 + older.index(size);
        let proof = log.consistency(from as u64, size as u64);
        prop_assert_eq!(bytes(&proof), tree.prove_consistency(size - from).as_bytes().to_vec());
    }

    #[test]
    fn a_frontier_that_was_stored_goes_on_as_if_it_had_not_been(size in 0u64..200, more in 0u64..20) {
        let mut stored = Frontier::from_bytes(&Log::numbered(size).frontier.to_bytes()).expect("its own");
        for at in size..size + more {
            stored.push(leaf(&at.to_be_bytes()));
        }
        prop_assert_eq!(stored, Log::numbered(size + more).frontier);
    }

    #[test]
    fn a_proof_asks_for_the_nodes_that_it_named_and_these_are_few(size in 1u64..1 << 40, at: u64, older: u64) {
        use std::cell::RefCell;
        let asked = RefCell::new(Vec::new());
        let source = |level, index| {
            asked.borrow_mut().push((level, index));
            Some(empty_root())
        };
        let proofs = [
            inclusion_proof(at % size, size, source),
            consistency_proof(older % size, size, source),
            root_at(size, source).map(|root| vec![root]),
        ];
        prop_assert!(proofs.iter().flatten().all(|proof| proof.len() <= 41));
        let mut named = [inclusion_nodes(at % size, size), consistency_nodes(older % size, size), root_nodes(size)].concat();
        let mut asked = asked.into_inner();
        prop_assert!(named.len() <= 3 * 80);
        named.sort_unstable();
        asked.sort_unstable();
        prop_assert_eq!(asked, named);
    }
}
