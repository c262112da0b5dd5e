//! What stands ahead in a JSON text: what the value that comes next is, by itself or by what is behind it.

use std::borrow::Cow;

use rules::facts::SecretKind as S;

use super::{Rewriter, string};
use crate::logs::redact::{
    fed::{is_command, is_piped, read_by},
    findings::Class,
    inputs::{held, is_field, is_typed_into},
    json::{Reader, unescape},
    listed::MAX_WORDS,
    members::{LOGPROB, says},
    nothing::{is_mixed, is_way_to_one, place},
    values::{is_kept_at, is_verdict, is_way},
};

/// Types of values in a schema of JSON.
const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object", "null"];

/// What a schema says of a value, and which is never the value.
#[rustfmt::skip]
const OF_SCHEMAS: &[&str] = &[
    "type", "title", "description", "format", "pattern", "minLength", "maxLength", "nullable", "required", "readOnly", "writeOnly",
    "deprecated",
];

/// How many members behind a value may stand before its name.
const MEMBERS_AHEAD: usize = 4;

/// A longer text is no name that a value is told behind it by. JSON in it may have such names again, and is read at
/// each of them.
const MAX_NAME: usize = 256;

impl<'t> Rewriter<'t, '_> {
    /// Whether the string that comes next says how something went: `{"pass": "yes"}`.
    pub(super) fn is_verdict_next(&self) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_verdict(&text))
    }

    /// Whether the string that comes next says in which way one is let in, or where a secret is kept:
    /// `{"auth": "none"}`.
    pub(super) fn is_way_next(&self, name: &str, class: Class) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| {
            let to_one = class == Class::Secret(S::Authorization) && is_way_to_one(&text);
            to_one || is_way(class, &text) || is_kept_at(name, &text)
        })
    }

    /// Whether the string that comes next is a folder or a file, and nothing else: `{"pwd": "/srv/app"}`.
    pub(super) fn is_place_next(&self, depth: usize) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| {
            place(&text).is_some_and(|place| place.len() == text.len())
                && string(&text, depth, &mut self.found.aside()).is_none()
        })
    }

    /// Whether the object that comes next says of what type a secret is, as tools tell what they take:
    /// `{"api_key": {"type": "string"}}`. What may hold one is none.
    pub(super) fn is_schema_next(&self) -> Result<bool, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at + 1 };
        let mut is_typed = false;
        for _ in 0..=OF_SCHEMAS.len() {
            if ahead.take_if(b'}') {
                return Ok(is_typed);
            }
            let name = unescape(ahead.string())?;
            ahead.take_if(b':');
            match ahead.peek() {
                b'{' | b'[' => return Ok(false),
                b'"' => {
                    let value = unescape(ahead.string())?;
                    is_typed |= name == "type" && TYPES.contains(&value.as_ref());
                }
                _ => drop(ahead.scalar()),
            }
            if !OF_SCHEMAS.contains(&name.as_ref()) {
                return Ok(false);
            }
            ahead.take_if(b',');
        }
        Ok(false)
    }

    /// Whether the string that comes next is a piece of a text, with how likely a model held it:
    /// `{"token": "the", "logprob": -0.1}`. `scored` if that stands before it.
    pub(super) fn is_piece_next(&self, scored: bool) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        let is_piece = unescape(ahead.string()).is_ok_and(|piece| !is_mixed(&piece));
        let mut is_scored =
            || ahead.take_if(b',') && unescape(ahead.string()).is_ok_and(|name| name == LOGPROB);
        is_piece && (scored || is_scored())
    }

    /// What the string that comes next is, if it is typed into the `field` that was told, or is told behind it.
    pub(super) fn typed_next(&self, field: Option<Class>, depth: usize) -> Option<Class> {
        let class = field.or_else(|| self.told_behind(depth, is_field, held))?;
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_typed_into(class, &text)).then_some(class)
    }

    /// Whether the string that comes next can be what a password is answered with.
    pub(super) fn is_piped_next(&self) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_piped(&text))
    }

    /// What the string that comes next is, if a command before it `reads` it, or one behind it.
    pub(super) fn piped_next(&self, reads: Option<Class>, depth: usize) -> Option<Class> {
        let class = reads.or_else(|| self.told_behind(depth, is_command, read_by))?;
        self.is_piped_next().then_some(class)
    }

    /// What the string that comes next is, by a member that stands behind it: `{"value": "..", "name": "password"}`.
    pub(super) fn told_behind(
        &self,
        depth: usize,
        is_telling: impl Fn(&str) -> bool,
        read: impl Fn(&str) -> Option<Class>,
    ) -> Option<Class> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        ahead.string();
        for _ in 0..MEMBERS_AHEAD {
            if !ahead.take_if(b',') {
                return None;
            }
            let name = unescape(ahead.string()).ok()?;
            ahead.take_if(b':');
            match ahead.peek() {
                b'{' | b'[' => return None,
                b'"' => {
                    let value = unescape(ahead.string()).ok()?;
                    if is_telling(&name) && value.len() <= MAX_NAME {
                        let stored = string(&value, depth, &mut self.found.aside());
                        let class = says(&value, stored.as_deref(), &read);
                        if class.is_some() {
                            return class;
                        }
                    }
                }
                _ => drop(ahead.scalar()),
            }
        }
        None
    }

    /// The first text that `is_one` says to be it of those behind the list that comes next, as the program that is told
    /// the words of the list: `{"args": [..], "command": ".."}`.
    pub(super) fn text_behind(
        &self,
        is_one: impl Fn(&str, &str) -> bool,
    ) -> Result<Option<Cow<'t, str>>, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at + 1 };
        for _ in 0..MAX_WORDS {
            match ahead.peek() {
                b']' => break,
                b'{' | b'[' => return Ok(None),
                b'"' => drop(ahead.string()),
                _ => drop(ahead.scalar()),
            }
            ahead.take_if(b',');
        }
        if !ahead.take_if(b']') {
            return Ok(None);
        }
        for _ in 0..MEMBERS_AHEAD {
            if !ahead.take_if(b',') {
                return Ok(None);
            }
            let name = unescape(ahead.string())?;
            ahead.take_if(b':');
            match ahead.peek() {
                b'{' | b'[' => return Ok(None),
                b'"' => {
                    let value = unescape(ahead.string())?;
                    if is_one(&name, &value) {
                        return Ok(Some(value));
                    }
                }
                _ => drop(ahead.scalar()),
            }
        }
        Ok(None)
    }
}
