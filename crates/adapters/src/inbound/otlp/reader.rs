//! JSON text that is known to be JSON, read where it stands: whatever shape a value has, its reader gets past it.

use std::{borrow::Cow, fmt::Write as _};

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// JSON as it is written, if it is some, whatever its members are: what may pass the door is asked there.
pub(super) fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// A place in a JSON text.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Something was nested too deep.
    pub(super) cut: bool,
}

impl<'t> Reader<'t> {
    /// Reads nothing yet, but whether it is JSON, however deep.
    pub(super) fn new(text: &'t str) -> serde_json::Result<Self> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self { text, at: 0, cut: false })
    }

    /// At the beginning of what is a value within a text that is JSON.
    pub(super) fn within(text: &'t str) -> Self {
        Self { text, at: 0, cut: false }
    }

    /// The first byte of the next token.
    pub(super) fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or(b' ')
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// Whether `null` is next; it is nothing, and gone past.
    pub(super) fn null(&mut self) -> bool {
        let null = self.peek() == b'n';
        if null {
            self.skip();
        }
        null
    }

    /// Every member of the object that is next. `each` reads the value; one that it leaves is gone past.
    pub(super) fn members(&mut self, mut each: impl FnMut(&mut Self, Cow<'t, str>)) {
        self.peek();
        self.at += 1;
        while !self.take_if(b'}') {
            let key = self.string();
            self.take_if(b':');
            let before = (self.peek(), self.at);
            each(self, key);
            if self.at == before.1 {
                self.skip();
            }
            self.take_if(b',');
        }
    }

    /// Every item of the list that is next, in the same way.
    pub(super) fn items(&mut self, mut each: impl FnMut(&mut Self)) {
        self.peek();
        self.at += 1;
        while !self.take_if(b']') {
            let before = (self.peek(), self.at);
            each(self);
            if self.at == before.1 {
                self.skip();
            }
            self.take_if(b',');
        }
    }

    /// The string that is next.
    pub(super) fn string(&mut self) -> Cow<'t, str> {
        match self.string_token() {
            // JSON has no U+0000 that is not escaped.
            (token, false) => Cow::Borrowed(&token[1..token.len() - 1]),
            (token, true) => Cow::Owned(unescaped(&token[1..token.len() - 1])),
        }
    }

    /// Its token, with its quotes, and whether anything in it is escaped.
    fn string_token(&mut self) -> (&'t str, bool) {
        self.peek();
        let start = self.at;
        let bytes = self.text.as_bytes();
        let (mut at, mut escapes) = (start + 1, false);
        while let Some(next) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += next;
            if bytes[at] == b'"' {
                break;
            }
            escapes = true;
            at += 2;
        }
        self.at = at + 1;
        (&self.text[start..self.at], escapes)
    }

    /// The text of the value that is next, whatever it is.
    pub(super) fn skip(&mut self) -> &'t str {
        self.peek();
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string_token();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => {
                    let rest = &self.text.as_bytes()[self.at..];
                    let ends =
                        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b':');
                    self.at += rest.iter().position(ends).unwrap_or(rest.len());
                }
            }
            if depth == 0 || self.at >= self.text.len() {
                return &self.text[start..self.at];
            }
        }
    }

    /// The text of what `read` goes past.
    pub(super) fn told(&mut self, read: impl FnOnce(&mut Self)) -> &'t str {
        self.peek();
        let start = self.at;
        read(self);
        &self.text[start..self.at]
    }

    /// A value as a text: what a string holds, and of anything else its JSON. Null is none.
    pub(super) fn as_text(&mut self) -> Option<Cow<'t, str>> {
        match self.peek() {
            b'"' => Some(self.string()),
            _ if self.null() => None,
            _ => Some(Cow::Borrowed(self.skip())),
        }
    }
}

/// What the inside of a string token stands for. Half a surrogate pair, and U+0000, are no reason not to read the rest.
fn unescaped(token: &str) -> String {
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escaped = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        out.push(match escaped {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => paired(&mut rest),
            other => char::from(other),
        });
    }
    out.push_str(rest);
    out
}

/// The character whose first unit of UTF-16 is next, with the other half where it is half of one and that follows.
fn paired(rest: &mut &str) -> char {
    let unit = |at: usize| u32::from_str_radix(rest.get(at..at + 4)?, 16).ok();
    let first = unit(0).unwrap_or(0);
    let second = rest.get(4..6).filter(|escape| *escape == "\\u").and_then(|_| unit(6));
    let (code, length) = match (first, second) {
        (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) => {
            (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 10)
        }
        _ => (first, 4),
    };
    *rest = rest.get(length..).unwrap_or_default();
    char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// JSON as some write it: `NaN` and the infinities by their names, and control characters in strings. None where there
/// is nothing of that.
pub(super) fn mended(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 64);
    let (mut inside, mut escaped, mut changed) = (false, false, false);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let named =
            ["NaN", "Infinity", "-Infinity"].into_iter().find(|name| !inside && rest.starts_with(name));
        if let Some(name) = named {
            changed = true;
            out.extend(["\"", name, "\""]);
            rest = &rest[name.len()..];
            continue;
        }
        if inside && next < ' ' {
            changed = true;
            // What was to be escaped by a backslash is this character.
            if std::mem::take(&mut escaped) {
                out.pop();
            }
            let _ = write!(out, "\\u{:04x}", u32::from(next));
        } else {
            out.push(next);
            inside ^= next == '"' && !escaped;
            escaped = inside && next == '\\' && !escaped;
        }
        rest = &rest[next.len_utf8()..];
    }
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_gone_past() {
        let text =
            r#" {"a": [1, {"b":"x\"]"}, null], "c":"\u0000\ud83d\ud83d\ude00", "d": -1.5e3 ,"e":true} "#;
        let mut seen = Vec::new();
        Reader::new(text).expect("is JSON").members(|reader, key| {
            let value = if key == "e" { "left".into() } else { reader.as_text().unwrap_or_default() };
            seen.push(format!("{key}={value}"));
        });
        assert_eq!(
            seen,
            [r#"a=[1, {"b":"x\"]"}, null]"#, "c=\u{fffd}\u{fffd}\u{1f600}", "d=-1.5e3", "e=left"]
        );
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Reader::new(&deep).expect("is JSON").skip().len(), 400_000);
    }

    #[test]
    fn what_some_write_as_json_is_mended() {
        for (given, mended_to) in [
            ("{\"a\":NaN,\"b\":[-Infinity,Infinity]}", Some(r#"{"a":"NaN","b":["-Infinity","Infinity"]}"#)),
            ("{\"a\":\"x\ny\tNaN\"}", Some(r#"{"a":"x\u000ay\u0009NaN"}"#)),
            ("{\"a\":\"\\\n\"}", Some(r#"{"a":"\u000a"}"#)),
            ("{\"a\":\"\\\\\"}", None),
        ] {
            assert_eq!(mended(given).as_deref(), mended_to, "{given:?}");
        }
    }
}
