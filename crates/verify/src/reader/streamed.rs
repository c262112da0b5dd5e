//! A document that comes as a stream: what is held of it is the value that is being read. Its canonical text is hashed
//! as it goes by, so the members of each part must come in their canonical order.

use std::io::{self, Read};

use proof::{
    canonical::plain_until,
    hash::{Hash, Stream},
};

use super::{
    Held, Reader,
    hashing::{Hashing, Named},
    window::{Failure, Window},
};
use crate::{
    beside::Hashed,
    json::{Parser, Wrong},
};

/// Why a stream was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// What is wrong with the document.
    Wrong(String),
    /// It may be a document all the same: who has it whole can tell.
    NotAsStream(String),
    Io(io::Error),
}

pub(crate) struct Streamed<R> {
    window: Window<R>,
    depth: u32,
    hashing: Hashing,
    is_in_other_order: bool,
}

/// Where one is among an object's members.
#[derive(Default)]
pub(crate) struct Members {
    begun: bool,
    named: Named,
}

impl<R: Read> Streamed<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { window: Window::new(from), depth: 0, hashing: Hashing::default(), is_in_other_order: false }
    }

    /// What reading came to, once it is over. `is_ours` of a stream that is known to be a bundle: of that all is looked
    /// at, so that what is wrong is told as one tells it who has it whole.
    pub(crate) fn over<T>(mut self, read: Result<T, Wrong>, is_ours: bool) -> Result<T, Unread> {
        if self.is_in_other_order {
            return Err(Unread::NotAsStream("its members are not in their canonical order".to_owned()));
        }
        if read.is_err() && is_ours {
            self.window.pass();
        }
        let why = match (self.window.failure(), read) {
            (Some(Failure::Io(err)), _) => return Err(Unread::Io(err)),
            (Some(Failure::NoText(why)), _) => why,
            (None, Err(wrong)) => wrong.to_string(),
            (None, Ok(value)) => return Ok(value),
        };
        Err(if is_ours { Unread::Wrong(why) } else { Unread::NotAsStream(why) })
    }

    /// The next byte that is not space.
    fn peek(&mut self) -> Result<u8, Wrong> {
        self.window.peek().ok_or_else(ends_in_the_middle)
    }

    /// Takes the next byte, which was looked at.
    fn take(&mut self, byte: u8) {
        self.window.advance(1);
        self.hashing.text(&[byte]);
    }

    /// What is read of text that nobody else has.
    pub(crate) fn over_alone<T>(
        mut self,
        read: Result<T, Wrong>,
        told: impl FnOnce(&Wrong) -> String,
    ) -> Result<T, String> {
        if read.is_err() {
            self.window.pass();
        }
        match self.window.failure() {
            Some(Failure::NoText(why)) => Err(why),
            Some(Failure::Io(err)) => Err(err.to_string()),
            None => read.map_err(|wrong| told(&wrong)),
        }
    }

    /// Reads an escaped character of a text: two bytes, or six, or twelve.
    fn escaped(&mut self) -> Result<String, Wrong> {
        while self.window.text().len() < 12 && self.window.fill() {}
        for length in [2, 6, 12] {
            let Some(escaped) = self.window.text().get(..length) else { continue };
            let quoted = format!("\"{escaped}\"");
            if let Ok(character) = Parser::new(&quoted).string() {
                let character = character.into_owned();
                self.window.advance(length);
                return Ok(character);
            }
        }
        Err(Wrong::new("an escape that JSON does not know"))
    }

    /// Reads a value, of whose text there may be too little as yet; `piece` is handed its canonical text.
    fn read<T>(
        &mut self,
        read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>,
        piece: impl FnOnce(&mut Hashing, &[u8]),
    ) -> Result<T, Wrong> {
        // What begins here is where the window begins.
        self.window.peek();
        let Self { window, depth, hashing, .. } = self;
        loop {
            let text = window.text();
            let mut parser = Parser::below(text, *depth);
            match parser.piece(&read) {
                // A number at the end may go on.
                Ok((value, its)) if parser.at() < text.len() || window.is_at_end() => {
                    piece(hashing, &its.canonical_bytes());
                    let length = parser.at();
                    window.advance(length);
                    return Ok(value);
                }
                Ok(_) => {
                    window.fill();
                }
                Err(wrong) => {
                    if !window.hold_value() {
                        return Err(wrong);
                    }
                }
            }
        }
    }
}

fn null(parser: &mut Parser<'_>) -> Result<bool, Wrong> {
    parser.null()
}

fn ends_in_the_middle() -> Wrong {
    Wrong::new("the text ends in the middle")
}

impl<R: Read> Reader for Streamed<R> {
    type Members = Members;

    fn open(&mut self, bracket: u8) -> Result<(), Wrong> {
        if self.peek()? != bracket {
            return Err(Wrong::new(if bracket == b'{' { "this is no object" } else { "this is no array" }));
        }
        self.depth += 1;
        self.take(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        self.take(bracket);
    }

    fn element(&mut self, is_first: bool) -> Result<bool, Wrong> {
        match self.peek()? {
            b']' => Ok(false),
            _ if is_first => Ok(true),
            b',' => {
                self.take(b',');
                let is_over = self.peek()? == b']';
                if is_over { Err(Wrong::new("a comma before the end of an array")) } else { Ok(true) }
            }
            _ => Err(Wrong::new("a comma is missing in an array")),
        }
    }

    fn member(&mut self, state: &mut Members) -> Result<Option<String>, Wrong> {
        match self.peek()? {
            b'}' => return Ok(None),
            b',' if state.begun => self.window.advance(1),
            _ if !state.begun => {}
            _ => return Err(Wrong::new("a comma is missing in an object")),
        }
        state.begun = true;
        let name = self.read(|parser| Ok(parser.string()?.into_owned()), |_, _| ())?;
        if self.peek()? != b':' {
            return Err(Wrong::new(format!("a colon is missing after `{name}`")));
        }
        self.window.advance(1);
        Ok(Some(name))
    }

    fn known(
        &mut self,
        state: &mut Members,
        name: &'static str,
        missing: &[&'static str],
        optional: &[&'static str],
    ) -> Result<(), Wrong> {
        if !self.hashing.is_on() {
            return Ok(());
        }
        let is_skipped = missing.iter().any(|other| *other < name && !optional.contains(other));
        if is_skipped || state.named.has_passed(name) {
            self.is_in_other_order = true;
            return Err(Wrong::new(format!("the member `{name}` is not in its place")));
        }
        self.hashing.left_out(&mut state.named, missing, Some(name), optional);
        self.hashing.member(&mut state.named, name);
        Ok(())
    }

    fn no_more(&mut self, state: &mut Members, missing: &[&'static str], optional: &[&'static str]) {
        self.hashing.left_out(&mut state.named, missing, None, optional);
    }

    fn next(&mut self) -> Result<u8, Wrong> {
        self.peek()
    }

    fn long_text(&mut self, mut each: impl FnMut(&str)) -> Result<(), Wrong> {
        // The quote.
        self.window.advance(1);
        loop {
            let text = self.window.text();
            let plain = plain_until(text.as_bytes(), 0);
            each(&text[..plain]);
            let next = text.as_bytes().get(plain).copied();
            self.window.advance(plain);
            match next {
                Some(b'"') => {
                    self.window.advance(1);
                    return Ok(());
                }
                Some(b'\\') => each(&self.escaped()?),
                Some(_) => return Err(Wrong::new("a control character in a string")),
                None if self.window.fill() => {}
                None => return Err(ends_in_the_middle()),
            }
        }
    }

    fn null(&mut self) -> Result<bool, Wrong> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.one(null)
    }

    fn one<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        self.read(read, Hashing::text)
    }

    fn beside<T>(&mut self, read: impl Fn(&mut Parser<'_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        self.read(read, Hashing::piece)
    }

    fn count_beside(&self) -> usize {
        self.hashing.count_pieces()
    }

    fn stretch<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<(T, Hashed), Wrong> {
        self.hashing.begin_stretch();
        let value = read(self)?;
        Ok((value, self.hashing.end_stretch()))
    }

    fn held<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<Held<T>, Wrong> {
        self.hashing.begin(Stream::of_leaf());
        let value = read(self)?;
        Ok(Held { value, hash: self.hashing.end() })
    }

    fn part<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(T, Option<&'static str>), Wrong>,
    ) -> Result<(T, Hash), Wrong> {
        self.hashing.begin(Stream::default());
        let (value, _) = read(self)?;
        Ok((value, self.hashing.end()))
    }

    fn skip(&mut self) -> Result<(), Wrong> {
        self.peek()?;
        self.window.skip_value();
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        self.window.peek().map_or(Ok(()), |_| Err(Wrong::new("there is more after the document")))
    }
}
