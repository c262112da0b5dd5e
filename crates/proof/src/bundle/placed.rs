//! The hashes of a list, each in its place.

use crate::hash::Hash;

/// The hashes of the records of a kind, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Placed {
    hashes: Vec<Hash>,
    /// The places, from the first on that is not where its record came.
    places: Vec<Option<u64>>,
}

impl Placed {
    pub(super) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// One more, which has its place there.
    pub(super) fn push(&mut self, place: Option<u64>, hash: Hash) {
        if !self.places.is_empty() || place != Some(self.hashes.len() as u64) {
            self.places.push(place);
        }
        self.hashes.push(hash);
    }

    /// All of them; where they are some of so many, each in its place.
    pub(super) fn listed(self, count: Option<u64>) -> Vec<Option<Hash>> {
        let Self { hashes, places } = self;
        let Some(count) = count else { return hashes.into_iter().map(Some).collect() };
        let in_place = (hashes.len() - places.len()) as u64;
        let places = (0..in_place).map(Some).chain(places);
        placed(places.zip(hashes.into_iter().map(Some)), count)
    }
}

/// A list of `count`, with each hash in its place; those that have none there come last.
pub(super) fn placed(
    hashes: impl Iterator<Item = (Option<u64>, Option<Hash>)>,
    count: u64,
) -> Vec<Option<Hash>> {
    let mut listed = vec![None; usize::try_from(count).unwrap_or(0)];
    let mut others = Vec::new();
    for (place, hash) in hashes {
        let place = place.and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| listed.get_mut(place)).filter(|free| free.is_none()) {
            Some(free) => *free = hash,
            None => others.push(hash),
        }
    }
    listed.extend(others);
    listed
}
