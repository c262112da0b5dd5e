//! JSON text: rewritten in place, so that what is not removed stays as the caller wrote it. A string is JSON or plain
//! text, whether JSON holds it, a plain text encodes it, or it comes by itself.

use std::borrow::Cow;

use cells::{Columns, is_head, is_rows};
use rules::facts::{PiiClass, SecretKind as S};

use super::{
    bound::{bound, is_statement},
    checks::is_card,
    cluster::is_data,
    commands::Invoked,
    fed::{asked, is_answer, is_command, is_input, is_prompt, read_by},
    fields::{classify, says_little},
    findings::{Class, Found, Redacted, is_marker},
    inputs::{held, is_field, is_typed},
    json::{MAX_DEPTH, Reader, escape, too_deep, unescape},
    members::{LOGPROB, holds_numbers, is_name, is_program, is_value, says},
    text,
    values::is_of_a_place,
};

mod ahead;
mod cells;
mod cluster;
mod items;
mod rows;

/// Redacts a JSON text. Fails if it is no JSON, nested more than 100 deep, or holds half a surrogate pair.
pub fn redact_json(text: &str) -> Result<Redacted<String>, serde_json::Error> {
    let mut found = Found::default();
    let value = redact_into(text, 0, &mut found)?;
    Ok(Redacted { value, findings: found.findings() })
}

/// Redacts a text: by the shape of values, and by names before them (`password=..`). JSON inside it is redacted as
/// JSON if it is all there is; use [`redact_json`] for what is JSON.
#[must_use]
pub fn redact_text(text: &str) -> Redacted<String> {
    let mut found = Found::default();
    let value = string(text, 0, &mut found).unwrap_or_else(|| text.to_owned());
    Redacted { value, findings: found.findings() }
}

pub(super) fn redact_into(text: &str, depth: usize, found: &mut Found) -> Result<String, serde_json::Error> {
    let mut rewriter =
        Rewriter { reader: Reader::new(text)?, out: String::with_capacity(text.len()), copied: 0, found };
    rewriter.value(None, depth)?;
    rewriter.out.push_str(&text[rewriter.copied..]);
    Ok(rewriter.out)
}

/// Copies a JSON text, with markers in the place of what must not be stored.
struct Rewriter<'t, 'f> {
    reader: Reader<'t>,
    out: String,
    /// What of the text is in `out`, one way or another.
    copied: usize,
    found: &'f mut Found,
}

impl<'t> Rewriter<'t, '_> {
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
            (b'{', Some(_)) if self.is_schema_next()? => self.object(depth)?,
            (b'{' | b'[', Some(class)) => {
                self.reader.check(depth)?;
                let whole = &self.reader.text[start..self.reader.at];
                if whole.len() > 2 {
                    self.found.add(class, whole);
                    self.replace(start, &escape(&class.marker()));
                }
            }
            (b'{', None) => self.object(depth)?,
            (b'[', None) => self.array(depth, false, None, None, Columns::default())?,
            (b'"', class) => {
                self.string(class, depth)?;
            }
            (_, class) => {
                let token = self.reader.scalar();
                let number = token.bytes().all(|byte| byte.is_ascii_digit());
                let card = Class::Pii(PiiClass::CardNumber);
                let class = class.filter(|class| number && holds_numbers(*class));
                if let Some(class) = class.or_else(|| (number && is_card(token.as_bytes())).then_some(card)) {
                    self.found.add(class, token);
                    self.replace(start, &escape(&class.marker()));
                }
            }
        }
        Ok(())
    }

    /// A string, and what stands in its place if something was removed.
    fn string(
        &mut self,
        class: Option<Class>,
        depth: usize,
    ) -> Result<(Cow<'t, str>, Option<String>), serde_json::Error> {
        self.reader.peek();
        let start = self.reader.at;
        let text = unescape(self.reader.string())?;
        let redacted = match class {
            Some(class) if !text.is_empty() && !is_marker(&text) => {
                self.found.add(class, &text);
                Some(class.marker())
            }
            Some(_) => None,
            None => string(&text, depth, self.found),
        };
        if let Some(redacted) = &redacted {
            self.replace(start, &escape(redacted));
        }
        Ok((text, redacted))
    }

    fn object(&mut self, depth: usize) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        // What the last `name` member said: `{"name": "Authorization", "value": ".."}`.
        let mut named = None;
        // `{"selector": "#password", "text": ".."}`
        let mut field = None;
        // `{"program": "sshpass", "args": ["-p", ".."]}`
        let mut invoked = None;
        let mut program = None;
        // How likely a model held what stands beside it.
        let mut scored = false;
        // `{"columns": ["name", "password"], "rows": [["bob", ".."]]}`
        let mut columns = Vec::new();
        // `{"kind": "Secret", "data": {"a": ".."}}`
        let mut of_secret = false;
        // `{"cmd": "docker login --password-stdin", "stdin": ".."}`, `{"prompt": "Password:", "input": ".."}`
        let mut reads = None;
        let mut asks = None;
        while !self.reader.take_if(b'}') {
            let (name, redacted) = self.string(None, depth)?;
            scored |= name == LOGPROB;
            let class = says(&name, redacted.as_deref(), classify);
            self.reader.take_if(b':');
            let class = class.or_else(|| named.filter(|_| is_value(&name)));
            if self.reader.peek() == b'"' {
                let class = class.or_else(|| {
                    if is_value(&name) { self.told_behind(depth, is_name, classify) } else { None }
                });
                let class =
                    class.or_else(|| if is_typed(&name) { self.typed_next(field, depth) } else { None });
                let class =
                    class.or_else(|| if is_input(&name) { self.piped_next(reads, depth) } else { None });
                let answers = is_answer(&name) && asks.is_some() && self.is_piped_next();
                let class = class.or(asks.filter(|_| answers));
                let class = class.filter(|_| !says_little(&name) || !self.is_verdict_next());
                let class = class.filter(|class| !self.is_way_next(&name, *class));
                let class = class.filter(|class| !is_of_a_place(&name, *class) || !self.is_place_next(depth));
                let of_a_model = class == Some(Class::Secret(S::Token)) && self.is_piece_next(scored);
                let class = class.filter(|_| !of_a_model);
                let (value, redacted) = self.string(class, depth + 1)?;
                if is_name(&name) {
                    named = says(&value, redacted.as_deref(), classify);
                } else if name == "k" {
                    named = says(&value, redacted.as_deref(), classify).or(named);
                }
                if is_field(&name) {
                    field = says(&value, redacted.as_deref(), held).or(field);
                }
                invoked = Invoked::by(&value).or(invoked);
                if is_command(&name) {
                    reads = reads.or_else(|| read_by(&value));
                }
                if is_prompt(&name) {
                    asks = asked(&value);
                }
                of_secret |= name == "kind" && value == "Secret";
                if is_statement(&name) && columns.is_empty() {
                    columns = bound(&value);
                }
                if is_program(&name, &value) {
                    program = Some(value);
                }
            } else if is_data(&name)
                && self.reader.peek() == b'{'
                && (of_secret || self.is_secret_behind()?)
            {
                self.secrets(depth + 1)?;
            } else if class.is_none() && self.reader.peek() == b'[' {
                let behind = if program.is_none() { self.text_behind(is_program)? } else { None };
                let invoked = invoked.or_else(|| behind.as_deref().and_then(Invoked::by));
                let of_rows = is_rows(&name);
                if is_head(&name) {
                    columns = self.columns_next()?;
                } else if of_rows && columns.is_empty() {
                    columns = self.bound_behind()?;
                }
                let told = of_rows && !columns.is_empty();
                let told = if told { Columns::told(&columns) } else { Columns::default() };
                let start = self.reader.at;
                self.array(depth + 1, false, invoked, program.as_deref().or(behind.as_deref()), told)?;
                if is_command(&name) {
                    reads = reads.or_else(|| read_by(&self.reader.text[start..self.reader.at]));
                }
            } else {
                // `{"pass": 12, "fail": 3}`
                let counted = says_little(&name) && self.reader.peek().is_ascii_digit();
                self.value(class.filter(|_| !counted), depth + 1)?;
            }
            self.reader.take_if(b',');
        }
        Ok(())
    }
}

/// A string inside JSON: itself JSON, or plain text. `None` if nothing is removed.
pub(super) fn string(text: &str, depth: usize, found: &mut Found) -> Option<String> {
    if depth < MAX_DEPTH
        && text.trim_start().starts_with(['{', '[', '"'])
        && let Some(inner) = nested(text, depth, found)
    {
        return (inner != text).then_some(inner);
    }
    text::clean(text, found, string)
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
