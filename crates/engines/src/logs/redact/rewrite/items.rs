//! The items of a list in a JSON text: flags and their values, names and their values in turns, the words of a command.

use rules::facts::SecretKind as S;

use super::{Rewriter, cells::Columns, string};
use crate::logs::redact::{
    commands::{Invoked, Says, is_password},
    fields::{classify, says_little},
    findings::{Class, OPENING, is_marker},
    json::{MAX_DEPTH, Reader, escape, too_deep, unescape},
    listed::{Line, Placed},
    members::says,
    nothing::{SCHEMES, is_name_of_item, looks_random},
    private::{is_begun, is_ended},
    unveil::visible,
    users::{is_client, is_of_a_user, is_user_flag},
};

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

impl Rewriter<'_, '_> {
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

    /// The items of a list; `listed` if it is one of a list itself. They may be words behind the tool that was
    /// `invoked`, or behind another `program`, or of such `columns`.
    pub(super) fn array(
        &mut self,
        depth: usize,
        listed: bool,
        mut invoked: Option<Invoked>,
        program: Option<&str>,
        columns: Columns<'_>,
    ) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        let placed = self.placed(program)?;
        let heads = if columns.told { Vec::new() } else { self.heads_next()? };
        let mut of_a_client = program.is_some_and(is_client);
        let mut item = 0;
        let mut said = Said::Nothing;
        // A file as a list of its lines.
        let mut of_a_key = false;
        let mut is_first = true;
        while !self.reader.take_if(b']') {
            let class = match said {
                Said::Flag(class) => Some(class),
                // `[["Authorization", ".."], ["Accept", ".."]]`: headers, fields of a form.
                Said::Name { class, first: true } if listed && self.is_last(class) => Some(class),
                Said::Name { .. } | Said::User | Said::Nothing => None,
            };
            let of_it = of_a_key && self.reader.peek() == b'"';
            let class = class.or_else(|| of_it.then_some(Class::Secret(S::PrivateKey)));
            let class = class.or_else(|| self.cell_next(columns, item));
            let spoken = if class.is_none() { self.spoken(&mut invoked)? } else { Says::Nothing };
            let here: Vec<&Placed> = placed.iter().filter(|placed| placed.item == item).collect();
            said = match (self.reader.peek(), class, said) {
                (b'"', None, _) if spoken != Says::Nothing => self.of_a_command(spoken, depth + 1)?,
                (b'"', None, _) if !here.is_empty() => self.of_a_line(&here, depth + 1)?,
                (b'"', None, Said::Name { class, .. }) => self.beside(class, depth + 1)?,
                (b'"', None, Said::User) => self.of_a_user(of_a_client, depth + 1)?,
                (b'"', class, _) => {
                    let (item, redacted) = self.string(class, depth + 1)?;
                    let is_a_line_of_it = of_a_key || is_begun(&item);
                    of_a_key = is_a_line_of_it && !is_ended(&item);
                    invoked = Invoked::by(&item).or(invoked);
                    of_a_client |= is_client(&item);
                    // `-----END PRIVATE KEY-----` looks like a flag.
                    if is_a_line_of_it {
                        Said::Nothing
                    } else {
                        Said::by(&item, redacted.as_deref(), is_first)
                    }
                }
                (b'[', None, _) => {
                    self.array(depth + 1, true, invoked, None, columns.within(&heads, item))?;
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
