//! The parser: one pass over the text, borrowing from it.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeSet};

use proof::{
    canonical::{MAX_INTEGER, cmp_member_names, plain_until},
    forms::Form,
};

use super::{piece::Piece, wrong::Wrong};

/// Deeper than any document of ours.
const MAX_DEPTH: u32 = 64;

pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Whether everything since the piece began was written canonically.
    canonical: bool,
    /// What the next text must look like.
    pub(super) form: Form,
}

/// Where a value begins whose text is kept.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) at: usize,
    /// Whether what stands around it has been canonical so far.
    outside: bool,
}

/// Where one is among an object's members.
#[derive(Default)]
pub(crate) struct MemberState<'a> {
    begun: bool,
    last: Option<Cow<'a, str>>,
    /// All names so far, where nobody else knows which may come.
    names: Option<BTreeSet<Cow<'a, str>>>,
}

impl<'a> Parser<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self::below(text, 0)
    }

    /// For a value that stands so deep in its document.
    pub(crate) const fn below(text: &'a str, depth: u32) -> Self {
        Self { text, at: 0, depth, canonical: true, form: Form::Any }
    }

    /// How far it has read.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Nothing but space is left.
    pub(crate) fn end(&mut self) -> Result<(), Wrong> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(Wrong::new("there is more after the document")) }
    }

    /// Reads a value and keeps its text.
    pub(crate) fn piece<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<(T, Piece<'a>), Wrong> {
        let begun = self.begin();
        let value = read(self)?;
        Ok((value, self.since(begun)))
    }

    /// Goes to where a value begins, whose text is to be kept.
    pub(crate) fn begin(&mut self) -> Begun {
        self.space();
        Begun { at: self.at, outside: std::mem::replace(&mut self.canonical, true) }
    }

    /// The text of the value that was begun there, and has been read.
    pub(crate) fn since(&mut self, begun: Begun) -> Piece<'a> {
        let piece = Piece { text: &self.text[begun.at..self.at], canonical: self.canonical };
        self.canonical &= begun.outside;
        piece
    }

    /// Reads an array.
    pub(super) fn elements<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let mut elements = Vec::new();
        self.open(b'[')?;
        while self.element(elements.is_empty())? {
            elements.push(read(self).map_err(|wrong| wrong.within(elements.len()))?);
        }
        self.close();
        Ok(elements)
    }

    /// Reads `null`, if that is what comes.
    pub(crate) fn null(&mut self) -> Result<bool, Wrong> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.word("null")?;
        Ok(true)
    }

    /// The next byte that is not space.
    pub(crate) fn peek(&mut self) -> Result<u8, Wrong> {
        self.space();
        self.text.as_bytes().get(self.at).copied().ok_or_else(|| Wrong::new("the text ends in the middle"))
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Result<(), Wrong> {
        if self.peek()? != bracket {
            return Err(Wrong::new(if bracket == b'{' { "this is no object" } else { "this is no array" }));
        }
        if self.depth == MAX_DEPTH {
            return Err(Wrong::new("this is nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// After the last member or element.
    pub(crate) const fn close(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Goes to the next element; false at the end.
    pub(crate) fn element(&mut self, first: bool) -> Result<bool, Wrong> {
        match self.peek()? {
            b']' => Ok(false),
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                if self.peek()? == b']' {
                    Err(Wrong::new("a comma before the end of an array"))
                } else {
                    Ok(true)
                }
            }
            _ => Err(Wrong::new("a comma is missing in an array")),
        }
    }

    /// Reads the next member's name and goes to its value; `None` at the end.
    pub(crate) fn member(&mut self, state: &mut MemberState<'a>) -> Result<Option<Cow<'a, str>>, Wrong> {
        match self.peek()? {
            b'}' => return Ok(None),
            b',' if state.begun => {
                self.at += 1;
                self.space();
            }
            _ if !state.begun => {}
            _ => return Err(Wrong::new("a comma is missing in an object")),
        }
        state.begun = true;
        let name = self.string()?;
        state.admit(name.clone(), &mut self.canonical)?;
        if self.peek()? != b':' {
            return Err(Wrong::new(format!("a colon is missing after `{name}`")));
        }
        self.at += 1;
        Ok(Some(name))
    }

    pub(super) fn word(&mut self, word: &str) -> Result<(), Wrong> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Wrong::new("this is no JSON value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// An integer that no reader rounds.
    pub(super) fn integer(&mut self) -> Result<i64, Wrong> {
        let bytes = self.text.as_bytes();
        let negative = bytes.get(self.at) == Some(&b'-');
        let start = self.at + usize::from(negative);
        let mut at = start;
        let mut magnitude = 0u64;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            magnitude = magnitude.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            at += 1;
        }
        if matches!(bytes.get(at), Some(b'.' | b'e' | b'E')) {
            return Err(Wrong::new("a number that is not an integer"));
        }
        let padded = at - start > 1 && bytes[start] == b'0';
        if at == start || padded || (negative && magnitude == 0) {
            return Err(Wrong::new("this is no JSON value"));
        }
        if magnitude > MAX_INTEGER {
            return Err(Wrong::new("an integer beyond 2^53"));
        }
        self.at = at;
        let magnitude = magnitude.cast_signed();
        Ok(if negative { -magnitude } else { magnitude })
    }

    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, Wrong> {
        if self.peek()? != b'"' {
            return Err(Wrong::new("this is no string"));
        }
        self.at += 1;
        let start = self.at;
        self.at = plain_until(self.text.as_bytes(), start);
        let plain = &self.text[start..self.at];
        if self.text.as_bytes().get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(Wrong::new("a control character in a string")),
                None => return Err(Wrong::new("the text ends in the middle")),
            }
            let start = self.at;
            self.at = plain_until(self.text.as_bytes(), start);
            text.push_str(&self.text[start..self.at]);
        }
        self.at += 1;
        Ok(Cow::Owned(text))
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        let wrong = || Wrong::new("an escape that JSON does not know");
        let letter = *self.text.as_bytes().get(self.at + 1).ok_or_else(wrong)?;
        self.at += 2;
        Ok(match letter {
            b'"' | b'\\' => char::from(letter),
            b'b' => '\u{8}',
            b't' => '\t',
            b'n' => '\n',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'/' => {
                self.canonical = false;
                '/'
            }
            b'u' => {
                let digits = self.at;
                let first = self.code_unit().ok_or_else(wrong)?;
                // Canonical is only what has no shorter form, in lower case.
                let short = matches!(first, 0x08..=0x0a | 0x0c | 0x0d);
                let lower = !self.text[digits..self.at].bytes().any(|digit| digit.is_ascii_uppercase());
                self.canonical &= first < 0x20 && !short && lower;
                if let 0xd800..0xdc00 = first {
                    self.word("\\u").map_err(|_| wrong())?;
                    let second =
                        self.code_unit().filter(|unit| (0xdc00..0xe000).contains(unit)).ok_or_else(wrong)?;
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                        .ok_or_else(wrong)?
                } else {
                    char::from_u32(first).ok_or_else(wrong)?
                }
            }
            _ => return Err(wrong()),
        })
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.as_bytes().get(self.at) {
            self.at += 1;
            self.canonical = false;
        }
    }
}

impl<'a> MemberState<'a> {
    /// For an object of any members: remembers them, to refuse one that comes twice.
    pub(super) const fn of_any() -> Self {
        Self { begun: false, last: None, names: Some(BTreeSet::new()) }
    }

    /// Notes a name; says when it is not in the canonical order, and refuses one that was there before.
    fn admit(&mut self, name: Cow<'a, str>, canonical: &mut bool) -> Result<(), Wrong> {
        *canonical &= self.last.as_ref().is_none_or(|last| cmp_member_names(last, &name) == Ordering::Less);
        if let Some(names) = &mut self.names
            && !names.insert(name.clone())
        {
            return Err(Wrong::new(format!("duplicate field `{name}`")));
        }
        self.last = Some(name);
        Ok(())
    }
}
