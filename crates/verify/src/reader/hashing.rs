//! The canonical text of what is read out of a stream, hashed as it goes by: none of it is held.

use std::mem;

use proof::hash::{Hash, Stream};

use crate::beside::{Beside, Hashed};

/// What is being hashed.
#[derive(Default)]
pub(super) struct Hashing {
    /// The hashes of all that is being read, the innermost last.
    sums: Vec<Stream>,
    beside: Beside,
    /// Whether what is read is of the stretch that is hashed beside.
    is_beside: bool,
}

/// What was written of an object's members.
#[derive(Default)]
pub(super) struct Named {
    /// Whether one was.
    written: bool,
    /// The last of those that came.
    last: Option<&'static str>,
}

impl Named {
    /// Whether one came before whose place is behind this one.
    pub(super) fn has_passed(&self, name: &str) -> bool {
        self.last.is_some_and(|last| name < last)
    }

    fn write(&mut self, name: &str) -> String {
        let comma = if mem::replace(&mut self.written, true) { "," } else { "" };
        format!("{comma}\"{name}\":")
    }
}

impl Hashing {
    /// Whether what is read is hashed: then members must come in their canonical order.
    pub(super) fn is_on(&self) -> bool {
        self.is_beside || !self.sums.is_empty()
    }

    /// The canonical text goes on.
    pub(super) fn text(&mut self, text: &[u8]) {
        for sum in &mut self.sums {
            sum.update(text);
        }
        if self.is_beside {
            self.beside.text(text);
        }
    }

    /// The same by a value that is hashed beside.
    pub(super) fn piece(&mut self, text: &[u8]) {
        debug_assert!(self.sums.is_empty(), "who is hashed beside is of no other hash");
        self.beside.piece(text);
    }

    /// How many such values of the stretch there were.
    pub(super) fn count_pieces(&self) -> usize {
        self.beside.count()
    }

    /// A member comes.
    pub(super) fn member(&mut self, named: &mut Named, name: &'static str) {
        let text = named.write(name);
        self.text(text.as_bytes());
        named.last = Some(name);
    }

    /// What is left out before a member, or at the end, is null.
    pub(super) fn left_out(
        &mut self,
        named: &mut Named,
        missing: &[&'static str],
        before: Option<&str>,
        optional: &[&'static str],
    ) {
        if !self.is_on() {
            return;
        }
        let is_left_out = |name: &&str| {
            optional.contains(name)
                && named.last.is_none_or(|last| *name > last)
                && before.is_none_or(|before| *name < before)
        };
        let mut left_out: Vec<&str> = missing.iter().copied().filter(is_left_out).collect();
        left_out.sort_unstable();
        for name in left_out {
            let text = named.write(name);
            self.text(text.as_bytes());
            self.text(b"null");
        }
    }

    /// A value begins whose hash is to be told.
    pub(super) fn begin(&mut self, sum: Stream) {
        self.sums.push(sum);
    }

    /// The innermost of these is over. Gives its hash.
    pub(super) fn end(&mut self) -> Hash {
        self.sums.pop().unwrap_or_default().finish()
    }

    /// An object begins whose values are hashed beside.
    pub(super) fn begin_stretch(&mut self) {
        self.is_beside = true;
    }

    /// It is over. Gives their hashes.
    pub(super) fn end_stretch(&mut self) -> Hashed {
        self.is_beside = false;
        self.beside.end()
    }
}
