//! A log as a store keeps it: leaves, nodes of complete subtrees, and checkpoints over it.

use std::collections::HashMap;

use proof::{
    bundle::LogProof,
    checkpoint::{Checkpoint, LogOrigin},
    hash::Hash,
    keys::SigningKey,
    merkle::{Frontier, Node, inclusion_proof, root_at},
    words::LogName,
};
use verify::Row;

use super::TENANT;

pub(crate) struct Log<L> {
    name: LogName,
    tree: Frontier,
    nodes: HashMap<(u32, u64), Hash>,
    pub(crate) rows: Vec<Row<L>>,
}

impl<L> Log<L> {
    pub(crate) fn new(name: LogName) -> Self {
        Self { name, tree: Frontier::default(), nodes: HashMap::new(), rows: Vec::new() }
    }

    /// Appends a leaf and answers its index.
    pub(crate) fn append(&mut self, leaf: L, leaf_hash: Hash) -> u64 {
        let leaf_index = self.tree.size();
        for Node { level, index, hash } in self.tree.append(leaf_hash) {
            self.nodes.insert((level, index), hash);
        }
        self.rows.push(Row { leaf, leaf_hash, leaf_index });
        leaf_index
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn proof(&self, leaf_index: u64) -> LogProof {
        let stored = |level, index| self.nodes.get(&(level, index)).copied();
        LogProof { leaf_index, inclusion: inclusion_proof(leaf_index, self.size(), stored).expect("stored") }
    }

    /// The signed note for the log as it was at this size.
    pub(crate) fn checkpoint_at(&self, size: u64, key: &SigningKey) -> String {
        let origin = LogOrigin {
            installation: "hoc.example".to_owned(),
            tenant_id: TENANT.to_owned(),
            log: self.name,
            epoch: 0,
        };
        let root = root_at(size, |level, index| self.nodes.get(&(level, index)).copied()).expect("stored");
        Checkpoint { origin: origin.to_string(), size, root }.sign(key).expect("an origin")
    }

    pub(crate) fn checkpoint(&self, key: &SigningKey) -> String {
        self.checkpoint_at(self.size(), key)
    }
}
