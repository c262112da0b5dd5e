//! A run's records tree as it grows: one frontier a kind, so that sealing reads no records.

use std::collections::BTreeMap;

use crate::{
    hash::Hash,
    leaves::KindRoot,
    merkle::{CorruptFrontier, Frontier, root_of},
    records::RecordKind,
    tagged::{Hashed, RecordRef, RunEvidence},
};

/// The first byte of a stored [`RunRanges`].
const VERSION: u8 = 2;

/// For each kind of record the frontier of a Merkle tree over its records, in the order of their key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRanges {
    kinds: Vec<Frontier>,
}

impl Default for RunRanges {
    fn default() -> Self {
        Self { kinds: vec![Frontier::default(); RecordKind::ALL.len()] }
    }
}

impl RunRanges {
    /// Adds a record and answers its hash. The caller keeps the order: the record's position must be
    /// [`Self::next`] of its kind.
    ///
    /// # Panics
    /// As [`RecordRef::hash`].
    pub fn push<'r>(&mut self, record: impl Into<RecordRef<'r>>) -> Hash {
        let record = record.into();
        let hash = record.hash();
        self.push_hash(record.kind(), hash);
        hash
    }

    /// Adds a record that carries its hash.
    pub fn push_hashed<R: RunEvidence>(&mut self, record: &Hashed<R>) {
        self.push_hash(R::KIND, record.hash());
    }

    /// Adds a record that is hashed already.
    pub fn push_hash(&mut self, kind: RecordKind, hash: Hash) {
        self.kinds[kind as usize].push(hash);
    }

    /// How many records of this kind there are, which is the position of the next.
    #[must_use]
    pub fn next(&self, kind: RecordKind) -> u64 {
        self.kinds[kind as usize].size()
    }

    /// The tree over the records of one kind. The steps' root is the trace's `root_hash`.
    #[must_use]
    pub fn kind(&self, kind: RecordKind) -> &Frontier {
        &self.kinds[kind as usize]
    }

    /// How many bytes they hold beside themselves.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.kinds.iter().map(|tree| size_of::<Frontier>() + tree.weight()).sum()
    }

    /// The number of records of every kind, zeros included, as a receipt states it.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<RecordKind, u64> {
        RecordKind::ALL.iter().map(|kind| (*kind, self.next(*kind))).collect()
    }

    /// Count and root of every kind, in the order of [`RecordKind::ALL`].
    #[must_use]
    pub fn kind_roots(&self) -> Vec<KindRoot> {
        RecordKind::ALL
            .iter()
            .zip(&self.kinds)
            .map(|(kind, tree)| KindRoot { kind: *kind, count: tree.size(), root: tree.root().to_string() })
            .collect()
    }

    /// The root over all of a run's records: over the hashes of [`Self::kind_roots`].
    #[must_use]
    pub fn records_root(&self) -> Hash {
        records_root(&self.kind_roots())
    }

    /// A version byte, then each kind's frontier in the order of [`RecordKind::ALL`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        self.kinds.iter().for_each(|tree| tree.write(&mut bytes));
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CorruptFrontier> {
        let Some((&VERSION, mut rest)) = bytes.split_first() else { return Err(CorruptFrontier) };
        let kinds = RecordKind::ALL.iter().map(|_| Frontier::read(&mut rest)).collect::<Result<_, _>>()?;
        if rest.is_empty() { Ok(Self { kinds }) } else { Err(CorruptFrontier) }
    }
}

/// The root over the hashes of these kind roots.
#[must_use]
pub fn records_root(kinds: &[KindRoot]) -> Hash {
    root_of(&kinds.iter().map(KindRoot::hash).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf;

    #[test]
    fn kinds_are_kept_apart_and_read_back() {
        let mut ranges = RunRanges::default();
        let empty = ranges.records_root();
        for at in 0..7u8 {
            ranges.push_hash(RecordKind::Step, leaf(&[at]));
        }
        ranges.push_hash(RecordKind::Decision, leaf(b"d"));
        assert_ne!(ranges.records_root(), empty);
        assert!(ranges.weight() >= RunRanges::default().weight() + 4 * size_of::<Hash>());
        assert_eq!(ranges.next(RecordKind::Step), 7);
        assert_eq!(
            ranges.kind(RecordKind::Step).root(),
            root_of(&(0..7u8).map(|at| leaf(&[at])).collect::<Vec<_>>())
        );

        let bytes = ranges.to_bytes();
        assert_eq!(RunRanges::from_bytes(&bytes), Ok(ranges));
        assert_eq!(RunRanges::from_bytes(&bytes[..bytes.len() - 1]), Err(CorruptFrontier));
        assert_eq!(RunRanges::from_bytes(&[&bytes[..], &[0]].concat()), Err(CorruptFrontier));
        assert_eq!(RunRanges::from_bytes(&[1]), Err(CorruptFrontier));
    }

    #[test]
    fn the_order_of_the_enum_is_the_order_of_the_list() {
        for (at, kind) in RecordKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, at);
        }
    }
}
