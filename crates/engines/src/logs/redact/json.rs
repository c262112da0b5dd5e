//! JSON text: read token by token, so that what a caller wrote can be kept as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::{Error as _, IgnoredAny};

/// How deep a JSON text may be nested, strings that hold JSON included. Whatever reads it later reads deeper.
pub(super) const MAX_DEPTH: usize = 100;

/// Tokens of fewer digits are never numbers beyond what can be calculated with, unless they have an exponent.
const SURELY_FINITE: usize = 300;

/// What is said of U+0000.
pub const NUL: &str = "must not contain U+0000";

/// What is wrong with a JSON text that a caller gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer into the text.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl Fault {
    fn here(message: impl Into<String>) -> Self {
        Self { pointer: String::new(), message: message.into() }
    }

    /// The same, told from the object or list around it.
    fn within(self, member: &str) -> Self {
        let member = member.replace('~', "~0").replace('/', "~1").replace('\0', "\u{fffd}");
        Self { pointer: format!("/{member}{}", self.pointer), ..self }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::here(error.to_string())
    }
}

/// The one check of JSON that a caller gives. What passes is JSON to everything that reads it later, whatever it is
/// read for: it can be redacted, put into its canonical form, and read as values by [`read_json`] and by anybody's
/// parser. So it holds no U+0000 and no half of a surrogate pair, no member twice, no number that is infinite to a
/// computer, and it is nested 100 deep at most.
pub fn check_json(text: &str) -> Result<(), Fault> {
    let mut reader = Reader::new(text).map_err(|error| Fault::here(format!("is no JSON: {error}")))?;
    reader.sound(0)
}

/// A JSON text that a caller gave, as values. Refuses what [`check_json`] does, and nothing else.
pub fn read_json(text: &str) -> Result<serde_json::Value, Fault> {
    check_json(text)?;
    Ok(serde_json::from_str(text)?)
}

/// One text for all spellings of a JSON value: members in order, no blanks, strings with the fewest escapes; numbers
/// as they are written, so that no two different ones become one. Refuses a member that is there twice.
pub fn canonical_text(text: &str) -> Result<String, String> {
    let mut reader = Reader::new(text).map_err(|error| error.to_string())?;
    let mut out = String::with_capacity(text.len());
    reader.canonical(&mut out, 0).map_err(|error| error.to_string())?;
    Ok(out)
}

/// Walks a text that is known to be JSON.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self { text, at: 0 })
    }

    /// The next byte that is not blank.
    pub(super) fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or(b' ')
    }

    pub(super) fn take_if(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// A string token with its quotes.
    pub(super) fn string(&mut self) -> &'t str {
        self.peek();
        let start = self.at;
        let mut escaped = false;
        for byte in self.text.as_bytes()[start..].iter().skip(1) {
            self.at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => break,
                _ => {}
            }
        }
        self.at += 1;
        &self.text[start..self.at]
    }

    /// A number, `true`, `false` or `null`.
    pub(super) fn scalar(&mut self) -> &'t str {
        self.peek();
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    /// Members or items up to the closing byte; `each` reads one whole.
    fn each<E: From<serde_json::Error>>(
        &mut self,
        close: u8,
        depth: usize,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        if depth >= MAX_DEPTH {
            return Err(too_deep().into());
        }
        self.at += 1;
        while !self.take_if(close) {
            each(self)?;
            self.take_if(b',');
        }
        Ok(())
    }

    /// Reads one value whole, every text in it too.
    pub(super) fn check(&mut self, depth: usize) -> Result<(), serde_json::Error> {
        match self.peek() {
            b'{' => self.each(b'}', depth, |reader| {
                unescape(reader.string())?;
                reader.take_if(b':');
                reader.check(depth + 1)
            }),
            b'[' => self.each(b']', depth, |reader| reader.check(depth + 1)),
            b'"' => unescape(self.string()).map(|_| ()),
            _ => {
                self.scalar();
                Ok(())
            }
        }
    }

    /// Reads one value whole, and finds what nobody gets to send.
    fn sound(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            b'{' => {
                let mut names = Vec::new();
                self.each(b'}', depth, |reader| {
                    let name = unescape(reader.string())?;
                    reader.take_if(b':');
                    if name.contains('\0') {
                        return Err(Fault::here(NUL).within(&name));
                    }
                    reader.sound(depth + 1).map_err(|fault| fault.within(&name))?;
                    names.push(name);
                    Ok(())
                })?;
                names.sort_unstable();
                match names.windows(2).find(|pair| pair[0] == pair[1]) {
                    Some(pair) => Err(Fault::here("is there twice").within(&pair[0])),
                    None => Ok(()),
                }
            }
            b'[' => {
                let mut index = 0_usize;
                self.each(b']', depth, |reader| {
                    reader.sound(depth + 1).map_err(|fault| fault.within(&index.to_string()))?;
                    index += 1;
                    Ok(())
                })
            }
            b'"' if unescape(self.string())?.contains('\0') => Err(Fault::here(NUL)),
            b'"' => Ok(()),
            _ => finite(self.scalar()),
        }
    }

    fn canonical(&mut self, out: &mut String, depth: usize) -> Result<(), serde_json::Error> {
        match self.peek() {
            b'{' => {
                let mut members: Vec<(String, String)> = Vec::new();
                self.each(b'}', depth, |reader| {
                    let name = unescape(reader.string())?.into_owned();
                    reader.take_if(b':');
                    let mut value = String::new();
                    reader.canonical(&mut value, depth + 1)?;
                    members.push((name, value));
                    Ok(())
                })?;
                members.sort_by(|a, b| proof::canonical::cmp_member_names(&a.0, &b.0));
                if let Some(pair) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    return Err(serde_json::Error::custom(format!(
                        "the member `{}` is there twice",
                        pair[0].0
                    )));
                }
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    let _ = write!(out, "{comma}{}:{value}", escape(name));
                }
                out.push('}');
            }
            b'[' => {
                out.push('[');
                let mut first = true;
                self.each(b']', depth, |reader| {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    reader.canonical(out, depth + 1)
                })?;
                out.push(']');
            }
            b'"' => out.push_str(&escape(&unescape(self.string())?)),
            _ => out.push_str(self.scalar()),
        }
        Ok(())
    }
}

/// A number must be one to whatever reads it as a computer's number.
fn finite(token: &str) -> Result<(), Fault> {
    let may_be_beyond = token.len() >= SURELY_FINITE || token.contains(['e', 'E']);
    // `true` and `false` have an `e`.
    let is_number = token.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if may_be_beyond && is_number && serde_json::from_str::<f64>(token).is_err() {
        return Err(Fault::here("is a number beyond what can be calculated with: at most 1.7e308"));
    }
    Ok(())
}

pub(super) fn too_deep() -> serde_json::Error {
    serde_json::Error::custom(format!("nested more than {MAX_DEPTH} deep"))
}

/// The text that a string token stands for.
pub(super) fn unescape(token: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str::<String>(token).map(Cow::Owned),
    }
}

pub(super) fn escape(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
