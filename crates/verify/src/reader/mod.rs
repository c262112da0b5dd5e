//! How a document is gone through: all of it in memory, or one element after another out of a stream. What it is made
//! of is said once, in `document`; both readers find the same, and say the same of what is wrong with it.

mod hashing;
mod streamed;
mod whole;
mod window;

use proof::{
    hash::Hash,
    tagged::{RunEvidence, Tagged},
};
use serde::de::DeserializeOwned;

use crate::{
    beside::Hashed,
    json::{Parser, Wrong},
};
pub(crate) use streamed::{Streamed, Unread};
pub(crate) use whole::Whole;

/// A value and the leaf hash of its canonical bytes.
#[derive(Clone, Debug)]
pub(crate) struct Held<T> {
    pub(crate) value: T,
    pub(crate) hash: Hash,
}

pub(crate) trait Reader: Sized {
    /// Where one is among an object's members.
    type Members: Default;

    /// Goes into an object or an array.
    fn open(&mut self, bracket: u8) -> Result<(), Wrong>;

    /// Goes out of it, after the last member or element: `member` or `element` has seen that the bracket comes.
    fn close(&mut self, bracket: u8);

    /// Goes to the next element; false at the end.
    fn element(&mut self, is_first: bool) -> Result<bool, Wrong>;

    /// Reads the next member's name and goes to its value; none at the end.
    fn member(&mut self, state: &mut Self::Members) -> Result<Option<String>, Wrong>;

    /// The member is known. `missing` are those that have not come so far, of which the `optional` may be absent.
    fn known(
        &mut self,
        state: &mut Self::Members,
        name: &'static str,
        missing: &[&'static str],
        optional: &[&'static str],
    ) -> Result<(), Wrong>;

    /// There are no more members.
    fn no_more(&mut self, state: &mut Self::Members, missing: &[&'static str], optional: &[&'static str]);

    /// The first byte of the next value.
    fn next(&mut self) -> Result<u8, Wrong>;

    /// Reads a text that may be long, piece by piece, which nobody hashes. That it is a text was looked at.
    fn long_text(&mut self, each: impl FnMut(&str)) -> Result<(), Wrong>;

    /// Reads `null`, if that is what comes.
    fn null(&mut self) -> Result<bool, Wrong>;

    /// Reads a value that nobody goes into. It is read again where it was cut.
    fn one<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong>;

    /// Reads a value that is hashed beside, with the stretch that it is of, and with nothing else: not within `held`.
    fn beside<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong>;

    /// How many values of the stretch were handed over to be hashed beside.
    fn count_beside(&self) -> usize;

    /// Reads an object whose values are hashed beside. Answers their hashes, and the digest of its canonical text.
    fn stretch<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<(T, Hashed), Wrong>;

    /// Reads a value with the leaf hash of its canonical text.
    fn held<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<Held<T>, Wrong>;

    /// Reads a value with the digest of its canonical text. `read` says which member it lacks that is null where it is
    /// absent.
    fn part<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(T, Option<&'static str>), Wrong>,
    ) -> Result<(T, Hash), Wrong>;

    /// Goes by a value of a document that was read before.
    fn skip(&mut self) -> Result<(), Wrong>;

    /// Nothing but space is left.
    fn end(&mut self) -> Result<(), Wrong>;

    /// Goes into an object that has no members but these, each once, and through all that are there; `read` is told
    /// which, and which have not come so far. Gives those that are missing. `other` says what is wrong with any other
    /// member.
    fn through(
        &mut self,
        state: &mut Self::Members,
        names: &[&'static str],
        other: impl Fn(&str) -> Wrong,
        mut read: impl FnMut(&mut Self, &mut Self::Members, &'static str, &[&'static str]) -> Result<(), Wrong>,
    ) -> Result<Vec<&'static str>, Wrong> {
        let mut missing = names.to_vec();
        self.open(b'{')?;
        while let Some(name) = self.member(state)? {
            let Some(at) = missing.iter().position(|known| *known == name) else {
                return Err(other(&name));
            };
            let name = missing.remove(at);
            read(self, state, name, &missing)?;
        }
        Ok(missing)
    }

    /// Reads an object with exactly these members, in any order that the reader takes; `read` is told which. Members in
    /// `optional` may be absent.
    fn members(
        &mut self,
        names: &[&'static str],
        optional: &[&'static str],
        mut read: impl FnMut(&mut Self, &'static str) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let other = |name: &str| {
            let why = if names.contains(&name) { "duplicate" } else { "unknown" };
            Wrong::new(format!("{why} field `{name}`"))
        };
        let mut state = Self::Members::default();
        let missing = self.through(&mut state, names, other, |reader, state, name, missing| {
            reader.known(state, name, missing, optional)?;
            read(reader, name).map_err(|wrong| wrong.within(name))
        })?;
        self.no_more(&mut state, &missing, optional);
        self.close(b'}');
        match missing.iter().find(|name| !optional.contains(name)) {
            Some(name) => Err(Wrong::new(format!("the member `{name}` is missing"))),
            None => Ok(()),
        }
    }

    /// Reads an object as the type is read that has these members, in its order: what is wrong with it is said in the
    /// same words. None of those in `optional` may be absent, but that is said otherwise. Only of what nobody hashes:
    /// the names of its members are told to none.
    fn fields(
        &mut self,
        names: &[&'static str],
        optional: &[&'static str],
        mut read: impl FnMut(&mut Self, &'static str) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let other = |name: &str| {
            Wrong::new(if names.contains(&name) {
                format!("duplicate field `{name}`")
            } else {
                format!("unknown field `{name}`, expected one of `{}`", names.join("`, `"))
            })
        };
        let mut state = Self::Members::default();
        let missing = self.through(&mut state, names, other, |reader, _, name, _| {
            read(reader, name).map_err(|wrong| wrong.within(name))
        })?;
        self.close(b'}');
        if let Some(name) = missing.iter().find(|name| !optional.contains(name)) {
            return Err(Wrong::new(format!("missing field `{name}`")));
        }
        if missing.is_empty() {
            return Ok(());
        }
        let (count, names) = (names.len() - missing.len(), names.join(", "));
        Err(Wrong::new(format!("a member is missing: {count} of {names} are there")))
    }

    /// Reads an array.
    fn elements<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        let mut elements = Vec::new();
        self.open(b'[')?;
        while self.element(elements.is_empty())? {
            elements.push(read(self).map_err(|wrong| wrong.within(elements.len()))?);
        }
        self.close(b']');
        Ok(elements)
    }

    /// Reads a value of its type.
    fn value<T: DeserializeOwned>(&mut self) -> Result<T, Wrong> {
        self.one(typed)
    }

    /// The same of a value that stands under this name, and looks as such values must.
    fn under<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Wrong> {
        self.one(|parser| parser.under(name))
    }

    /// The same, with its hash.
    fn plain<T: DeserializeOwned>(&mut self) -> Result<Held<T>, Wrong> {
        self.held(Self::value)
    }

    /// The same of a value under its tag.
    fn tagged<T: Tagged>(&mut self) -> Result<Held<T>, Wrong> {
        self.held(|reader| reader.one(tagged))
    }

    /// A record under its tag, which is hashed beside.
    fn record<T: RunEvidence>(&mut self) -> Result<T, Wrong> {
        self.beside(tagged)
    }
}

fn typed<T: DeserializeOwned>(parser: &mut Parser<'_>) -> Result<T, Wrong> {
    T::deserialize(parser)
}

fn tagged<T: Tagged>(parser: &mut Parser<'_>) -> Result<T, Wrong> {
    parser.tagged()
}

/// What `members` has seen to be there.
pub(crate) fn present<T>(member: Option<T>) -> Result<T, Wrong> {
    member.ok_or_else(|| Wrong::new("a member is missing"))
}
