//! What a line is taken apart into: commands and their words, and variables that are set.

use std::collections::BTreeSet;

/// What a line runs.
#[derive(Debug, Default)]
pub(in super::super) struct Line {
    pub(in super::super) commands: Vec<Command>,
    /// Through what its programs are told to reach others: `http_proxy=h.example:80`.
    pub(in super::super) proxies: Vec<String>,
    /// What runs cannot be known.
    pub(in super::super) unsure: bool,
    /// Variables whose values it takes from whoever runs it.
    pub(in super::super) asked: BTreeSet<String>,
    /// Variables that it sets, or may set.
    pub(in super::super) sets: Given<'static>,
}

/// One program, with what it gets.
#[derive(Debug, Default)]
pub(in super::super) struct Command {
    pub(in super::super) words: Vec<Word>,
    /// What another program writes is what it reads.
    pub(in super::super) is_piped: bool,
    pub(super) settings: Vec<Setting>,
}

#[derive(Debug, Default)]
pub(in super::super) struct Word {
    pub(in super::super) text: String,
    /// There are quotes in it, so that it may be empty or have blanks.
    pub(in super::super) is_quoted: bool,
    /// Something in it is known to the shell alone, since its last slash.
    pub(in super::super) expands: bool,
    /// It is not written as it is read here, and not by its quotes alone.
    pub(in super::super) is_resolved: bool,
    /// Where the first of it stands that is known to the shell alone.
    pub(in super::super) unknown: Option<usize>,
    /// Where the first `=` stands behind what is written as it is read.
    pub(super) equals: Option<usize>,
    /// What stands between braces, `{a,b}`, and where.
    pub(super) choices: Vec<(usize, Vec<String>)>,
}

impl Word {
    pub(super) fn mark_unknown(&mut self) {
        self.expands = true;
        self.unknown.get_or_insert(self.text.len());
    }
}

/// `a=x` in a command; with nothing for what is not known.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Option<Held>,
}

impl Setting {
    /// Its name and its value, where all of that is known.
    pub(super) fn known(&self) -> Option<(&str, &str)> {
        let held = self.value.as_ref().filter(|held| held.unknown.is_none())?;
        Some((&self.name, &held.text))
    }
}

/// What a variable holds, as far as it is known since its last slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) text: String,
    /// Where something stood before that slash which the shell alone knows.
    pub(super) unknown: Option<usize>,
}

/// Names of variables that whoever runs a line may have set.
#[derive(Debug, Default)]
pub(in super::super) struct Given<'g> {
    pub(in super::super) names: BTreeSet<String>,
    /// There may be others.
    pub(in super::super) any: bool,
    /// Those of the line in which it is.
    pub(in super::super) within: Option<&'g Given<'g>>,
}

impl Given<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.any || self.names.contains(name) || self.within.is_some_and(|outer| outer.has(name))
    }
}
