//! JSON text: rewritten in place, so that what is not removed stays as the caller wrote it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::{Error as _, IgnoredAny};

use super::{
    checks::is_card,
    fields::classify,
    findings::{Class, Found, Redacted, is_marker},
    text,
};

/// How deep a JSON text may be nested, strings that hold JSON included.
const MAX_DEPTH: usize = 128;

/// Redacts a JSON text. Fails if it is no JSON, nested more than 128 deep, or holds half a surrogate pair.
pub fn redact_json(text: &str) -> Result<Redacted<String>, serde_json::Error> {
    let mut found = Found::default();
    let value = redact_into(text, 0, &mut found)?;
    Ok(Redacted { value, findings: found.findings() })
}

/// The JSON pointer of the first text or member name that holds U+0000, if one does.
/// Fails as [`redact_json`] does, so that a text that passes can be redacted.
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

pub(super) fn redact_into(text: &str, depth: usize, found: &mut Found) -> Result<String, serde_json::Error> {
    let mut rewriter =
        Rewriter { reader: Reader::new(text)?, out: String::with_capacity(text.len()), copied: 0, found };
    rewriter.value(None, depth)?;
    rewriter.out.push_str(&text[rewriter.copied..]);
    Ok(rewriter.out)
}

/// Walks a text that is known to be JSON.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self { text, at: 0 })
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or(b' ')
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// A string token with its quotes.
    fn string(&mut self) -> &'t str {
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
    fn scalar(&mut self) -> &'t str {
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
    fn check(&mut self, depth: usize) -> Result<(), serde_json::Error> {
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

fn too_deep() -> serde_json::Error {
    serde_json::Error::custom(format!("nested more than {MAX_DEPTH} deep"))
}

/// The text that a string token stands for.
fn unescape(token: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str::<String>(token).map(Cow::Owned),
    }
}

fn escape(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Copies a JSON text, with markers in the place of what must not be stored.
struct Rewriter<'t, 'f> {
    reader: Reader<'t>,
    out: String,
    /// What of the text is in `out`, one way or another.
    copied: usize,
    found: &'f mut Found,
}

impl Rewriter<'_, '_> {
    /// Puts `instead` in the place of the text from `from` to where the reader is.
    fn replace(&mut self, from: usize, instead: &str) {
        self.out.push_str(&self.reader.text[self.copied..from]);
        self.out.push_str(instead);
        self.copied = self.reader.at;
    }

    /// One value; `class` if the name of its field says what it is.
    fn value(&mut self, class: Option<Class>, depth: usize) -> Result<(), serde_json::Error> {
        let first = self.reader.peek();
        let start = self.reader.at;
        match (first, class) {
            (b'{' | b'[', Some(class)) => {
                self.reader.check(depth)?;
                let whole = &self.reader.text[start..self.reader.at];
                if whole.len() > 2 {
                    self.found.add(class, whole);
                    self.replace(start, &escape(&class.marker()));
                }
            }
            (b'{', None) => self.object(depth)?,
            (b'[', None) => self.array(depth)?,
            (b'"', class) => {
                let text = unescape(self.reader.string())?;
                if let Some(redacted) = self.string(&text, class, depth) {
                    self.replace(start, &escape(&redacted));
                }
            }
            (_, class) => {
                let token = self.reader.scalar();
                let number = token.bytes().all(|byte| byte.is_ascii_digit());
                let card = Class::Pii(rules::facts::PiiClass::CardNumber);
                let class = class.filter(|class| number && holds_numbers(*class));
                if let Some(class) = class.or_else(|| (number && is_card(token.as_bytes())).then_some(card)) {
                    self.found.add(class, token);
                    self.replace(start, &escape(&class.marker()));
                }
            }
        }
        Ok(())
    }

    fn string(&mut self, text: &str, class: Option<Class>, depth: usize) -> Option<String> {
        match class {
            Some(class) if !text.is_empty() && !is_marker(text) => {
                self.found.add(class, text);
                Some(class.marker())
            }
            Some(_) => None,
            None => string(text, depth, self.found),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        // What the last `name` member said: `{"name": "Authorization", "value": ".."}`.
        let mut named = None;
        while !self.reader.take_if(b'}') {
            self.reader.peek();
            let start = self.reader.at;
            let name = unescape(self.reader.string())?;
            if let Some(redacted) = string(&name, depth, self.found) {
                self.replace(start, &escape(&redacted));
            }
            self.reader.take_if(b':');
            let first = self.reader.peek();
            let value_at = self.reader.at;
            let class = classify(&name).or_else(|| named.filter(|_| is_value(&name)));
            self.value(class, depth + 1)?;
            if first == b'"' && is_name(&name) {
                let value = unescape(self.reader.text[value_at..self.reader.at].trim_end())?;
                named = classify(&value);
            }
            self.reader.take_if(b',');
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        // What the last item asked for: `["--password", ".."]`.
        let mut flagged = None;
        while !self.reader.take_if(b']') {
            let first = self.reader.peek();
            let start = self.reader.at;
            self.value(flagged.take().filter(|_| first == b'"'), depth + 1)?;
            if first == b'"' {
                let item = unescape(&self.reader.text[start..self.reader.at])?;
                flagged = item.strip_prefix("--").and_then(classify);
            }
            self.reader.take_if(b',');
        }
        Ok(())
    }
}

/// A string inside JSON: itself JSON, or plain text. `None` if nothing is removed.
pub(super) fn string(text: &str, depth: usize, found: &mut Found) -> Option<String> {
    if depth < MAX_DEPTH && text.trim_start().starts_with(['{', '[', '"']) {
        if let Some(inner) = nested(text, depth, found) {
            return (inner != text).then_some(inner);
        }
    }
    text::clean(text, found)
}

/// The redacted JSON that a string holds; `None` if it holds none. What a failed attempt found does not count.
fn nested(text: &str, depth: usize, found: &mut Found) -> Option<String> {
    let before = found.mark();
    let inner = redact_into(text, depth + 1, found);
    if inner.is_err() {
        found.back_to(before);
    }
    inner.ok()
}

/// Whether a number can be such a value. An access token is never a number; a token of a text often is.
fn holds_numbers(class: Class) -> bool {
    use rules::facts::SecretKind as S;
    !matches!(class, Class::Secret(S::Token | S::Authorization | S::Cookie))
}

fn is_name(name: &str) -> bool {
    ["name", "key", "header", "field", "param", "parameter"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn is_value(name: &str) -> bool {
    ["value", "values", "stringValue", "string_value"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
