//! A document that is all in memory: its members may stand in any order.

use proof::hash::Hash;
use serde::{Deserialize as _, de::IgnoredAny};

use super::{Held, Reader};
use crate::{
    beside::{Beside, Hashed},
    json::{MemberState, Parser, Wrong},
};

pub(crate) struct Whole<'a> {
    text: &'a str,
    parser: Parser<'a>,
    beside: Beside,
    /// How far the stretch has been handed over.
    from: usize,
}

impl<'a> Whole<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, parser: Parser::new(text), beside: Beside::default(), from: 0 }
    }

    fn hand_over_to(&mut self, at: usize) {
        self.beside.text(&self.text.as_bytes()[self.from..at]);
        self.from = at;
    }
}

impl<'a> Reader for Whole<'a> {
    type Members = MemberState<'a>;

    fn open(&mut self, bracket: u8) -> Result<(), Wrong> {
        self.parser.open(bracket)
    }

    fn close(&mut self, _bracket: u8) {
        self.parser.close();
    }

    fn element(&mut self, is_first: bool) -> Result<bool, Wrong> {
        self.parser.element(is_first)
    }

    fn member(&mut self, state: &mut MemberState<'a>) -> Result<Option<String>, Wrong> {
        Ok(self.parser.member(state)?.map(std::borrow::Cow::into_owned))
    }

    fn known(
        &mut self,
        _state: &mut MemberState<'a>,
        _name: &'static str,
        _missing: &[&'static str],
        _optional: &[&'static str],
    ) -> Result<(), Wrong> {
        Ok(())
    }

    fn no_more(
        &mut self,
        _state: &mut MemberState<'a>,
        _missing: &[&'static str],
        _optional: &[&'static str],
    ) {
    }

    fn next(&mut self) -> Result<u8, Wrong> {
        self.parser.peek()
    }

    fn long_text(&mut self, mut each: impl FnMut(&str)) -> Result<(), Wrong> {
        each(&self.parser.string()?);
        Ok(())
    }

    fn null(&mut self) -> Result<bool, Wrong> {
        self.parser.null()
    }

    fn one<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        read(&mut self.parser)
    }

    fn beside<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        let begun = self.parser.begin();
        self.hand_over_to(begun.at);
        let value = read(&mut self.parser)?;
        let piece = self.parser.since(begun);
        self.beside.piece(&piece.canonical_bytes());
        self.from = self.parser.at();
        Ok(value)
    }

    fn count_beside(&self) -> usize {
        self.beside.count()
    }

    fn stretch<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<(T, Hashed), Wrong> {
        let begun = self.parser.begin();
        self.from = begun.at;
        let value = read(self)?;
        self.hand_over_to(self.parser.at());
        let piece = self.parser.since(begun);
        let mut hashed = self.beside.end();
        // What was handed over is the text as it stands.
        if !piece.is_canonical() {
            hashed.stretch = piece.digest();
        }
        Ok((value, hashed))
    }

    fn held<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<Held<T>, Wrong> {
        let begun = self.parser.begin();
        let value = read(self)?;
        Ok(Held { value, hash: self.parser.since(begun).hash() })
    }

    fn part<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(T, Option<&'static str>), Wrong>,
    ) -> Result<(T, Hash), Wrong> {
        let begun = self.parser.begin();
        let (value, lacks) = read(self)?;
        let piece = self.parser.since(begun);
        Ok((value, lacks.map_or_else(|| piece.digest(), |name| piece.digest_with_null(name))))
    }

    fn skip(&mut self) -> Result<(), Wrong> {
        IgnoredAny::deserialize(&mut self.parser).map(drop)
    }

    fn end(&mut self) -> Result<(), Wrong> {
        self.parser.end()
    }
}
