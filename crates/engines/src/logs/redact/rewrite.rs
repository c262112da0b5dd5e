//! JSON text: rewritten in place, so that what is not removed stays as the caller wrote it. A string is JSON or plain text,
//! whether JSON holds it, a plain text encodes it, or it comes by itself.

use std::borrow::Cow;

use rules::facts::SecretKind as S;

use super::{
    checks::is_card,
    commands::{Invoked, Says, is_password},
    fields::{classify, says_little},
    findings::{Class, Found, OPENING, Redacted, is_marker, marker_at},
    inputs::{held, is_field, is_typed, is_typed_into},
    json::{MAX_DEPTH, Reader, escape, too_deep, unescape},
    listed::{Line, MAX_WORDS, Placed},
    nothing::{SCHEMES, is_mixed, is_name_of_item, is_way_to_one, looks_random, place},
    text,
    unveil::visible,
    users::{is_client, is_of_a_user, is_user_flag},
    values::{is_kept_at, is_of_a_place, is_verdict, is_way},
};

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

/// The member that says how likely a model held a piece of a text.
const LOGPROB: &str = "logprob";

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

/// A longer text is no name that a value is told behind it by. JSON in it may have such names again, and is read at each of them.
const MAX_NAME: usize = 256;

/// A longer text is no name of a program.
const MAX_PROGRAM: usize = 256;

/// What an item of a list says of the next one.
#[derive(Clone, Copy)]
enum Said {
    /// `["--password", ".."]`
    Flag(Class),
    /// `["-u", "bob:.."]`
    User,
    /// `["Authorization", "Bearer .."]`; whether it is the first of its list.
    Name {
        class: Class,
        first: bool,
    },
    Nothing,
}

impl Said {
    fn by(item: &str, redacted: Option<&str>, first: bool) -> Self {
        // `-storepass`; but `-pass 1` says which of several.
        let of_one_dash = |item: &str| {
            let is_word = |name: &&str| !name.contains(char::is_whitespace) && !says_little(name);
            let name = item.strip_prefix('-').filter(is_word);
            name.and_then(classify).filter(|class| *class == Class::Secret(S::Password))
        };
        let flag = |item: &str| item.strip_prefix("--").and_then(classify).or_else(|| of_one_dash(item));
        if let Some(class) = says(item, redacted, flag) {
            return Self::Flag(class);
        }
        if is_user_flag(item) {
            return Self::User;
        }
        let name = |item: &str| classify(item).filter(|_| is_name_of_item(item));
        says(item, redacted, name).map_or(Self::Nothing, |class| Self::Name { class, first })
    }
}

/// Whether a text that stands behind the name of a secret looks like its value.
fn is_telling(class: Class, text: &str) -> bool {
    let text = visible(text);
    let text = text.trim();
    let begins = |scheme: &&str| {
        text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
            && text[scheme.len()..].starts_with([' ', '\t'])
    };
    let is_word = text.contains(char::is_whitespace) || classify(text).is_some();
    class == Class::Secret(S::Cookie) && text.contains('=')
        || class == Class::Secret(S::Authorization) && SCHEMES.iter().any(begins)
        || !is_word && looks_random(text)
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
            (b'[', None) => self.array(depth, false, None, None)?,
            (b'"', class) => {
                self.string(class, depth)?;
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
                let class = class.filter(|_| !says_little(&name) || !self.is_verdict_next());
                let class = class.filter(|class| !self.is_way_next(&name, *class));
                let class = class.filter(|class| !is_of_a_place(&name, *class) || !self.is_place_next(depth));
                let of_a_model = class == Some(Class::Secret(S::Token)) && self.is_piece_next(scored);
                let class = class.filter(|_| !of_a_model);
                let (value, redacted) = self.string(class, depth + 1)?;
                if is_name(&name) {
                    named = says(&value, redacted.as_deref(), classify);
                }
                if is_field(&name) {
                    field = says(&value, redacted.as_deref(), held).or(field);
                }
                invoked = Invoked::by(&value).or(invoked);
                if is_program(&name, &value) {
                    program = Some(value);
                }
            } else if class.is_none() && self.reader.peek() == b'[' {
                let behind = if program.is_none() { self.program_behind()? } else { None };
                let invoked = invoked.or_else(|| behind.as_deref().and_then(Invoked::by));
                self.array(depth + 1, false, invoked, program.as_deref().or(behind.as_deref()))?;
            } else {
                // `{"pass": 12, "fail": 3}`
                let counted = says_little(&name) && self.reader.peek().is_ascii_digit();
                self.value(class.filter(|_| !counted), depth + 1)?;
            }
            self.reader.take_if(b',');
        }
        Ok(())
    }

    /// Whether the string that comes next says how something went: `{"pass": "yes"}`.
    fn is_verdict_next(&self) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_verdict(&text))
    }

    /// Whether the string that comes next says in which way one is let in, or where a secret is kept: `{"auth": "none"}`.
    fn is_way_next(&self, name: &str, class: Class) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| {
            let to_one = class == Class::Secret(S::Authorization) && is_way_to_one(&text);
            to_one || is_way(class, &text) || is_kept_at(name, &text)
        })
    }

    /// Whether the string that comes next is a folder or a file, and nothing else: `{"pwd": "/srv/app"}`.
    fn is_place_next(&self, depth: usize) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| {
            place(&text).is_some_and(|place| place.len() == text.len())
                && string(&text, depth, &mut self.found.aside()).is_none()
        })
    }

    /// Whether the object that comes next says of what type a secret is, as tools tell what they take:
    /// `{"api_key": {"type": "string"}}`. What may hold one is none.
    fn is_schema_next(&self) -> Result<bool, serde_json::Error> {
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

    /// Whether the string that comes next is a piece of a text, with how likely a model held it: `{"token": "the", "logprob": -0.1}`.
    /// `scored` if that stands before it.
    fn is_piece_next(&self, scored: bool) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        let is_piece = unescape(ahead.string()).is_ok_and(|piece| !is_mixed(&piece));
        let mut is_scored =
            || ahead.take_if(b',') && unescape(ahead.string()).is_ok_and(|name| name == LOGPROB);
        is_piece && (scored || is_scored())
    }

    /// What the string that comes next is, if it is typed into the `field` that was told, or is told behind it.
    fn typed_next(&self, field: Option<Class>, depth: usize) -> Option<Class> {
        let class = field.or_else(|| self.told_behind(depth, is_field, held))?;
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_typed_into(class, &text)).then_some(class)
    }

    /// What the string that comes next is, by a member that stands behind it: `{"value": "..", "name": "password"}`.
    fn told_behind(
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

    /// The program that is told the words of the list that comes next, where it stands behind them: `{"args": [..], "command": ".."}`.
    fn program_behind(&self) -> Result<Option<Cow<'t, str>>, serde_json::Error> {
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
                    if is_program(&name, &value) {
                        return Ok(Some(value));
                    }
                }
                _ => drop(ahead.scalar()),
            }
        }
        Ok(None)
    }

    /// What of the items that come next is a password by its place in the line that they are.
    fn placed(&self, program: Option<&str>) -> Result<Vec<Placed>, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        if ahead.peek() != b'"' {
            return Ok(Vec::new());
        }
        let mut line = Line::behind(program);
        loop {
            let more = match ahead.peek() {
                b'"' => line.add(&unescape(ahead.string())?),
                b']' | b'{' | b'[' => false,
                _ => line.add(ahead.scalar()),
            };
            if !more {
                return Ok(line.passwords());
            }
            ahead.take_if(b',');
        }
    }

    /// The items of a list; `listed` if it is one of a list itself. They may be words behind the tool that was `invoked`, or behind
    /// another `program`.
    fn array(
        &mut self,
        depth: usize,
        listed: bool,
        mut invoked: Option<Invoked>,
        program: Option<&str>,
    ) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        let placed = self.placed(program)?;
        let mut of_a_client = program.is_some_and(is_client);
        let mut item = 0;
        let mut said = Said::Nothing;
        let mut is_first = true;
        while !self.reader.take_if(b']') {
            let class = match said {
                Said::Flag(class) => Some(class),
                // `[["Authorization", ".."], ["Accept", ".."]]`: headers, fields of a form.
                Said::Name { class, first: true } if listed && self.is_last(class) => Some(class),
                Said::Name { .. } | Said::User | Said::Nothing => None,
            };
            let spoken = if class.is_none() { self.spoken(&mut invoked)? } else { Says::Nothing };
            let here: Vec<&Placed> = placed.iter().filter(|placed| placed.item == item).collect();
            said = match (self.reader.peek(), class, said) {
                (b'"', None, _) if spoken != Says::Nothing => self.of_a_command(spoken, depth + 1)?,
                (b'"', None, _) if !here.is_empty() => self.of_a_line(&here, depth + 1)?,
                (b'"', None, Said::Name { class, .. }) => self.beside(class, depth + 1)?,
                (b'"', None, Said::User) => self.of_a_user(of_a_client, depth + 1)?,
                (b'"', class, _) => {
                    let (item, redacted) = self.string(class, depth + 1)?;
                    invoked = Invoked::by(&item).or(invoked);
                    of_a_client |= is_client(&item);
                    Said::by(&item, redacted.as_deref(), is_first)
                }
                (b'[', None, _) => {
                    self.array(depth + 1, true, invoked, None)?;
                    Said::Nothing
                }
                (_, class, _) => {
                    self.value(class.filter(|_| !matches!(said, Said::Flag(_))), depth + 1)?;
                    Said::Nothing
                }
            };
            is_first = false;
            item += 1;
            self.reader.take_if(b',');
        }
        Ok(())
    }

    /// What the string that comes next says to the tool whose words these are.
    fn spoken(&self, invoked: &mut Option<Invoked>) -> Result<Says, serde_json::Error> {
        let Some(tool) = invoked else { return Ok(Says::Nothing) };
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        if ahead.peek() != b'"' {
            return Ok(Says::Nothing);
        }
        let word = unescape(ahead.string())?;
        let says = tool.read(&word);
        if says.is_none() {
            *invoked = None;
        }
        Ok(match says {
            Some(Says::Behind(flag)) if !is_password(&word[flag..]) => Says::Nothing,
            says => says.unwrap_or(Says::Nothing),
        })
    }

    /// A word of a command that holds a password, or says that the next one is one.
    fn of_a_command(&mut self, says: Says, depth: usize) -> Result<Said, serde_json::Error> {
        let password = Class::Secret(S::Password);
        let Says::Behind(flag) = says else {
            self.string(None, depth)?;
            return Ok(Said::Flag(password));
        };
        self.reader.peek();
        let start = self.reader.at;
        let word = unescape(self.reader.string())?;
        self.found.add(password, &word[flag..]);
        self.replace(start, &escape(&format!("{}{}", &word[..flag], password.marker())));
        Ok(Said::Nothing)
    }

    /// A word that has a password by its place in a line.
    fn of_a_line(&mut self, placed: &[&Placed], depth: usize) -> Result<Said, serde_json::Error> {
        self.reader.peek();
        let start = self.reader.at;
        let word = unescape(self.reader.string())?;
        let (mut kept, mut copied) = (String::new(), 0);
        for Placed { part, class, .. } in placed {
            if part.start >= copied {
                self.found.add(*class, &word[part.clone()]);
                kept.push_str(&word[copied..part.start]);
                kept.push_str(&class.marker());
                copied = part.end;
            }
        }
        kept.push_str(&word[copied..]);
        let kept = string(&kept, depth, self.found).unwrap_or(kept);
        self.replace(start, &escape(&kept));
        Ok(Said::Nothing)
    }

    /// A user and a password, as `curl` takes them behind `-u`; `of_a_client` if it is a program that does.
    fn of_a_user(&mut self, of_a_client: bool, depth: usize) -> Result<Said, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        let word = unescape(ahead.string())?;
        let Some((user, password)) = word.split_once(':').filter(|(user, password)| {
            let named = !user.is_empty() && !user.contains(|c: char| c == '<' || c.is_whitespace());
            named
                && is_password(password)
                && !password.starts_with('$')
                && is_of_a_user(user, password, of_a_client)
        }) else {
            let (item, redacted) = self.string(None, depth)?;
            return Ok(Said::by(&item, redacted.as_deref(), false));
        };
        self.reader.peek();
        let start = self.reader.at;
        self.reader.string();
        let kept = string(user, depth, self.found);
        let user = kept.as_deref().unwrap_or(user);
        let class = Class::Secret(S::UrlCredentials);
        self.found.add(class, password);
        self.replace(start, &escape(&format!("{user}:{}", class.marker())));
        Ok(Said::Nothing)
    }

    /// Whether the item that comes next is the last one, as far as that is told without reading much of it.
    fn is_last(&self, class: Class) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        match ahead.peek() {
            // What has several values is a header.
            b'[' => return class == Class::Secret(S::Cookie) || class == Class::Secret(S::Authorization),
            b'{' => return false,
            b'"' => drop(ahead.string()),
            _ => drop(ahead.scalar()),
        }
        ahead.peek() == b']'
    }

    /// A string behind one that is the name of a secret: its value, as names and values may stand in turns, or the next
    /// name of a list of names. It goes if it looks like one, or if there is something in it that must not be kept.
    fn beside(&mut self, class: Class, depth: usize) -> Result<Said, serde_json::Error> {
        self.reader.peek();
        let start = self.reader.at;
        let text = unescape(self.reader.string())?;
        if is_marker(&text) {
            return Ok(Said::Nothing);
        }
        let before = self.found.mark();
        let stored = string(&text, depth, self.found);
        if stored.is_none() && !text.contains(OPENING) && !is_telling(class, &text) {
            return Ok(Said::by(&text, None, false));
        }
        self.found.back_to(before);
        self.found.add(class, &text);
        self.replace(start, &escape(&class.marker()));
        Ok(Said::Nothing)
    }
}

/// What a name says of its value: as it was, or as it is stored, for a later reader has only that. What is in the
/// place of removed parts says nothing.
fn says(name: &str, redacted: Option<&str>, read: impl Fn(&str) -> Option<Class>) -> Option<Class> {
    let without_markers = |name: &str| {
        let name = visible(name);
        let name = name.as_ref();
        if !name.contains('<') {
            return read(name);
        }
        let (mut kept, mut rest) = (String::new(), name);
        while let Some(at) = rest.find('<') {
            let marker = marker_at(&rest[at..]);
            kept.push_str(&rest[..at + usize::from(marker.is_none())]);
            rest = &rest[at + marker.unwrap_or(1)..];
        }
        read(&(kept + rest))
    };
    let (raw, stored) = (without_markers(name), redacted.and_then(without_markers));
    // Of two the one that removes more, and else the one that a later reader has: it would remove what this one left.
    let with_numbers = |class: &Class| holds_numbers(*class);
    raw.filter(with_numbers).or(stored.filter(with_numbers)).or(stored).or(raw)
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

/// Whether a number can be such a value. An access token is never a number; a token of a text often is.
fn holds_numbers(class: Class) -> bool {
    !matches!(class, Class::Secret(S::Token | S::BearerToken | S::Jwt | S::Authorization | S::Cookie))
}

pub(super) fn is_name(name: &str) -> bool {
    ["name", "key", "header", "field", "param", "parameter"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is the program that words beside it are told to.
fn is_program(name: &str, value: &str) -> bool {
    ["command", "cmd", "program", "executable", "exe", "binary", "bin", "file", "tool", "name"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
        && value.len() <= MAX_PROGRAM
}

pub(super) fn is_value(name: &str) -> bool {
    ["value", "values", "stringValue", "string_value"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
