//! JSON text: read token by token, so that what a caller wrote can be kept as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::{Error as _, IgnoredAny};

/// How deep a JSON text may be nested, strings that hold JSON included.
pub(super) const MAX_DEPTH: usize = 128;

/// The JSON pointer of the first text or member name that holds U+0000, if one does.
/// Fails as [`super::redact_json`] does, so that a text that passes can be redacted.
pub fn find_nul(text: &str) -> Result<Option<String>, serde_json::Error> {
    Reader::new(text)?.check(0)?;
    // Raw control characters are no JSON: it can only be escaped.
    if !text.contains("\\u0000") {
        return Ok(None);
    }
    Reader::new(text)?.nul("", 0)
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
    fn each(
        &mut self,
        close: u8,
        depth: usize,
        mut each: impl FnMut(&mut Self) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
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

    /// Reads a value that passed the check. `pointer` is where it stands.
    fn nul(&mut self, pointer: &str, depth: usize) -> Result<Option<String>, serde_json::Error> {
        let mut first = None;
        match self.peek() {
            b'{' => self.each(b'}', depth, |reader| {
                let name = unescape(reader.string())?;
                let at = format!(
                    "{pointer}/{}",
                    name.replace('~', "~0").replace('/', "~1").replace('\0', "\u{fffd}")
                );
                reader.take_if(b':');
                let inside = reader.nul(&at, depth + 1)?;
                first = first.take().or(name.contains('\0').then_some(at)).or(inside);
                Ok(())
            })?,
            b'[' => {
                let mut index = 0;
                self.each(b']', depth, |reader| {
                    let inside = reader.nul(&format!("{pointer}/{index}"), depth + 1)?;
                    index += 1;
                    first = first.take().or(inside);
                    Ok(())
                })?;
            }
            b'"' => first = unescape(self.string())?.contains('\0').then(|| pointer.to_owned()),
            _ => {
                self.scalar();
            }
        }
        Ok(first)
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
