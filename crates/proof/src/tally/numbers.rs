//! A number for each name, so that a step keeps no text.

use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    known: HashMap<Box<str>, u32>,
    /// The bytes of them.
    pub(super) weight: usize,
}

/// The bytes of a name beside its text: its place in the map, which may have room for as many again.
const WEIGHT_OF_PLACE: usize = 2 * size_of::<(Box<str>, u32)>();

impl Numbers {
    /// The number of a name, from 1.
    pub(super) fn of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let new = u32::try_from(self.known.len() + 1).unwrap_or(u32::MAX);
        self.known.insert(name.into(), new);
        self.weight += name.len() + WEIGHT_OF_PLACE;
        new
    }
}
