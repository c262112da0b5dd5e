//! A filter of a list of which one word may be chosen.

use crate::view::words::Word;

/// A filter that is a vocabulary.
pub(crate) struct Select {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) words: &'static [&'static str],
}

impl Select {
    pub(crate) fn of<W: Word>(name: &'static str, label: &'static str, chosen: Option<W>) -> Self {
        Self { name, label, chosen: chosen.map_or("", W::text), words: W::ALL }
    }
}
