//! Where the records are that others name: by their hash, of which eight bytes are kept as a rule.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use proof::{
    hash::{Hash, sha256},
    records::RecordKind,
};

use crate::document::{Decision, Gist, Lines};

/// The stretches of records that were gone through, and where in them each is.
#[derive(Default)]
pub(super) struct Stretches<'c> {
    all: Vec<(&'c Gist, &'c Lines)>,
    kinds: HashMap<RecordKind, Whereabouts>,
}

/// A record's stretch, and its number among those of its kind there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    stretch: usize,
    at: usize,
}

/// Where the records of a kind are.
#[derive(Default)]
struct Whereabouts {
    /// By the beginning of the hash. The stretch and the number take 32 bits each.
    places: HashMap<u64, (u32, u32)>,
    /// Of those whose hash begins as another's does.
    alike: HashMap<Hash, (u32, u32)>,
}

impl<'c> Stretches<'c> {
    /// One more, of whose records those of these kinds may be named.
    pub(super) fn push(&mut self, gist: &'c Gist, lines: &'c Lines, kinds: &[RecordKind]) {
        let stretch = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push((gist, lines));
        for kind in kinds {
            let known = self.kinds.entry(*kind).or_default();
            for (at, hash) in (0..).zip(lines.of_kind(*kind)) {
                match known.places.entry(beginning(hash)) {
                    Entry::Vacant(free) => {
                        free.insert((stretch, at));
                    }
                    Entry::Occupied(taken) if hash_at(&self.all, *kind, *taken.get()) != Some(hash) => {
                        known.alike.entry(*hash).or_insert((stretch, at));
                    }
                    // It is there twice.
                    Entry::Occupied(_) => {}
                }
            }
        }
    }

    pub(super) fn has(&self, kind: RecordKind, hash: &Hash) -> bool {
        self.place(kind, hash).is_some()
    }

    pub(super) fn decision(&self, hash: &Hash) -> Option<Decision> {
        let (stretch, at) = self.place(RecordKind::Decision, hash)?;
        Some(
            self.decision_at(Place {
                stretch: usize::try_from(stretch).ok()?,
                at: usize::try_from(at).ok()?,
            }),
        )
    }

    /// Where a record of the newest stretch is.
    pub(super) fn newest(&self, at: usize) -> Place {
        Place { stretch: self.all.len().saturating_sub(1), at }
    }

    pub(super) fn decision_at(&self, Place { stretch, at }: Place) -> Decision {
        self.all[stretch].0.decisions.get(at)
    }

    fn place(&self, kind: RecordKind, hash: &Hash) -> Option<(u32, u32)> {
        let known = self.kinds.get(&kind)?;
        let place = known.places.get(&beginning(hash)).copied();
        let place = place.filter(|place| hash_at(&self.all, kind, *place) == Some(hash));
        place.or_else(|| known.alike.get(hash).copied())
    }
}

fn hash_at<'c>(
    all: &[(&'c Gist, &'c Lines)],
    kind: RecordKind,
    (stretch, at): (u32, u32),
) -> Option<&'c Hash> {
    let (_, lines) = *all.get(usize::try_from(stretch).ok()?)?;
    lines.of_kind(kind).get(usize::try_from(at).ok()?)
}

fn beginning(hash: &Hash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Names of which each may come once. Of each half of its SHA-256 is kept, for they may be as long as they like.
#[derive(Default)]
pub(super) struct Names(HashSet<[u8; 16]>);

impl Names {
    /// Whether it has not come before.
    pub(super) fn is_new(&mut self, name: &str) -> bool {
        let hash = sha256(name.as_bytes());
        hash.as_bytes().first_chunk().is_none_or(|half| self.0.insert(*half))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_once() {
        let mut names = Names::default();
        assert_eq!(
            ["a", "b", "a", "", "", "b"].map(|name| names.is_new(name)),
            [true, true, false, true, false, false]
        );
    }

    #[test]
    fn records_are_found_whose_hashes_begin_alike() {
        let hash = |begin: u8, end: u8| {
            let mut bytes = [begin; 32];
            bytes[31] = end;
            Hash(bytes)
        };
        let lines = |hashes: &[Hash]| Lines::unplaced(RecordKind::Activity, hashes.to_vec());
        let (gist, first, second) =
            (Gist::default(), lines(&[hash(1, 0), hash(1, 1), hash(2, 0)]), lines(&[hash(1, 2), hash(1, 1)]));
        let mut known = Stretches::default();
        known.push(&gist, &first, &[RecordKind::Activity]);
        assert!(!known.has(RecordKind::Activity, &hash(1, 2)));
        known.push(&gist, &second, &[RecordKind::Activity, RecordKind::Decision]);
        for there in [hash(1, 0), hash(1, 1), hash(2, 0), hash(1, 2)] {
            assert!(known.has(RecordKind::Activity, &there), "{there}");
            assert!(!known.has(RecordKind::Decision, &there), "{there}");
        }
        for strange in [hash(1, 3), hash(2, 1), hash(3, 0)] {
            assert!(!known.has(RecordKind::Activity, &strange), "{strange}");
        }
    }
}
