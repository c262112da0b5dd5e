//! A filter of a list of which one word may be chosen.

use crate::view::words::{Word, Words};

/// A filter that is a vocabulary.
pub(crate) struct Select {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) words: Vec<&'static str>,
}

impl Select {
    pub(crate) fn of<L: Words>(name: &'static str, label: &'static str, chosen: Option<Word<L>>) -> Self {
        Self { name, label, chosen: chosen.map_or("", Word::text), words: Word::<L>::all() }
    }
}
