//! What every record has: its hash, and the place that it claims among its kind.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    rc::Rc,
};

use proof::{hash::Hash, records::RecordKind};

/// The hashes of a stretch of records, and their places.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Of all kinds, one after another.
    hashes: Rc<Vec<Hash>>,
    kinds: BTreeMap<RecordKind, (Range<usize>, Places)>,
}

impl Lines {
    /// `kinds`: of each, the number of its first hash, and the places of its records.
    pub(super) fn of(
        hashes: Vec<Hash>,
        kinds: impl IntoIterator<Item = (RecordKind, usize, Places)>,
    ) -> Self {
        let kinds = kinds.into_iter().map(|(kind, first, places)| {
            let range = first..first + places.count;
            (kind, (range, places))
        });
        Self { kinds: kinds.collect(), hashes: Rc::new(hashes) }
    }

    /// Of one kind, without places.
    #[cfg(test)]
    pub(crate) fn unplaced(kind: RecordKind, hashes: Vec<Hash>) -> Self {
        let mut places = Places::default();
        for _ in &hashes {
            places.push(None);
        }
        Self::of(hashes, [(kind, 0, places)])
    }

    /// How many there are of all kinds.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The hashes of all of them.
    pub(super) fn all(&self) -> Rc<Vec<Hash>> {
        Rc::clone(&self.hashes)
    }

    /// Where among all of them those of a kind begin.
    pub(super) fn first(&self, kind: RecordKind) -> usize {
        self.kinds.get(&kind).map_or(0, |(range, _)| range.start)
    }

    /// The kinds that the document has a list of.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = RecordKind> + '_ {
        self.kinds.keys().copied()
    }

    /// The hashes of a kind, as they stand in the document.
    pub(crate) fn of_kind(&self, kind: RecordKind) -> &[Hash] {
        self.kinds.get(&kind).map_or(&[], |(range, _)| &self.hashes[range.clone()])
    }

    /// The place that one of a kind claims.
    pub(crate) fn place(&self, kind: RecordKind, at: usize) -> Option<u64> {
        self.kinds.get(&kind).and_then(|(_, places)| places.of(at))
    }
}

/// The places that records of a kind claim: as a rule one after another.
#[derive(Debug, Default)]
pub(crate) struct Places {
    first: Option<u64>,
    count: usize,
    others: HashMap<usize, Option<u64>>,
}

impl Places {
    pub(super) fn push(&mut self, place: Option<u64>) {
        if self.count == 0 {
            self.first = place;
        }
        if self.expected(self.count) != place {
            self.others.insert(self.count, place);
        }
        self.count += 1;
    }

    fn of(&self, at: usize) -> Option<u64> {
        self.others.get(&at).copied().unwrap_or_else(|| self.expected(at))
    }

    fn expected(&self, at: usize) -> Option<u64> {
        self.first?.checked_add(at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_were_claimed() {
        for claimed in [
            vec![],
            vec![None],
            vec![Some(0), Some(1), Some(2)],
            vec![Some(7), Some(8), None, Some(8), Some(11), Some(12)],
            vec![None, Some(1), None],
        ] {
            let mut places = Places::default();
            for place in &claimed {
                places.push(*place);
            }
            let of: Vec<_> = (0..claimed.len()).map(|at| places.of(at)).collect();
            assert_eq!(of, claimed);
        }
    }
}
