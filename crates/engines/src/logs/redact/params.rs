//! Facts of a call's parameters, from their raw text before that is dropped.
//!
//! A parameter is found under any of its names, in any wrapper, at any depth, and in JSON inside strings. All that are
//! found count: a rule that reads the one value of a fact is judged against each ([`ParamFacts`]). What cannot be read,
//! or is too much, is not passed over in silence: `facts_cut` says so.

use std::{borrow::Cow, collections::BTreeSet};

use percent_encoding::percent_decode_str;
use rules::facts::{ParamFacts, UrlFact};

use super::{
    bare::{bare, is_line},
    json::MAX_DEPTH,
    lenient::{self, meant_as_json},
    members::{is_name, is_value},
    rewrite::redact_text,
    roles::{Role, is_of_a_statement, is_plural, is_source, role},
    tree::{self, Node},
    unveil::{composed, is_illegible, visible},
    urls::{self, Mention, Place},
    words::{items, joined, text_of, words},
};

mod calls;
mod flagged;
mod given;
mod invoked;
mod parted;
mod parts;
mod places;
mod programs;
mod reach;
mod run;
mod shell;
mod signs;
mod statements;
mod tables;
mod tokens;

use parted::Given;
use signs::{has_sign, is_plain_literal};

/// The longest text fact, in bytes. A longer one is cut.
const MAX_TEXT: usize = 16_384;
/// How much of a text is read for one.
const MAX_READ: usize = 4 * MAX_TEXT;
/// The most values of one fact of a call, and their bytes.
const MAX_ITEMS: usize = 64;
const MAX_BYTES: usize = 32_768;
/// The most URLs that are read in one call.
const MAX_MENTIONS: usize = 1_024;
/// Below this a number is hardly an address: 1.0.0.0.
const FIRST_ADDRESS: u32 = 1 << 24;

/// The facts of a tool's parameters, as tests ask for them.
#[cfg(test)]
fn facts(params: &serde_json::Value) -> ParamFacts {
    param_facts(&params.to_string(), true).expect("is JSON")
}

/// The typed common parameters, redacted.
pub(super) fn param_facts(params: &str, of_a_tool: bool) -> Result<ParamFacts, serde_json::Error> {
    let mut facts = Facts {
        params: ParamFacts::default(),
        urls: Vec::new(),
        paths: Vec::new(),
        command_bytes: 0,
        mentions_left: MAX_MENTIONS,
        given: Given::default(),
        asking: BTreeSet::new(),
    };
    let root = tree::read(params, 0)?;
    facts.walk(&root, At::default(), 0);
    // A tool of one parameter is often told by its bare value, which may be a command, and may be another fact. What an
    // agent is asked is none, so nothing is missed there; and nothing where no sign of any fact is in it.
    for text in bare(&root).iter().filter(|_| of_a_tool) {
        facts.params.facts_cut |= has_sign(&visible(text));
        facts.nameless(text);
    }
    Ok(facts.done())
}

/// Where a value stands.
#[derive(Clone, Copy, Default)]
struct At {
    /// By the nearest name that says one.
    role: Option<Role>,
    /// That name is its own, not one further out.
    own: bool,
    many: Many,
    /// Under the name of recipients, however far out.
    addressed: bool,
    /// It is a word of a command, and no line that a shell takes apart.
    is_word: bool,
}

/// How many values a name says that there are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Many {
    #[default]
    One,
    /// One, beside the other parts of a URL: its host may be told by its labels.
    Part,
    Several,
}

impl Many {
    fn of(name: &str, is_url_in_parts: bool) -> Self {
        match (is_plural(name), is_url_in_parts) {
            (true, _) => Self::Several,
            (false, true) => Self::Part,
            (false, false) => Self::One,
        }
    }
}

/// Whether members are the parts of a URL: they have its scheme, or a path by its segments.
fn is_url_in_parts(members: &[(Cow<'_, str>, Node<'_>)]) -> bool {
    members.iter().any(|(name, value)| {
        let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
        is(&["protocol", "scheme"]) || is(&["path", "pathname"]) && items(value).is_some()
    })
}

struct Facts {
    params: ParamFacts,
    /// In order, as they are found: the first is the fact with one value.
    urls: Vec<UrlFact>,
    paths: Vec<String>,
    command_bytes: usize,
    mentions_left: usize,
    /// Variables that the call sets for what it runs.
    given: Given<'static>,
    /// Lines that ask for variables which they do not set.
    asking: BTreeSet<String>,
}

/// The most commands and the most lists of arguments in one object that are tried together.
const MAX_INVOKED: usize = 8;
/// The bytes of an object's commands with their arguments that are read.
const MAX_PAIRED: usize = 4 * MAX_READ;

impl Facts {
    fn walk(&mut self, node: &Node<'_>, at: At, depth: usize) {
        if depth > MAX_DEPTH {
            self.params.facts_cut = true;
            return;
        }
        match node {
            Node::Text(text) => self.text(text, at, depth),
            Node::Scalar(token) => self.number(token, at),
            Node::Object(members) if items(node).is_none() => self.members(members, at, depth),
            Node::List(_) | Node::Object(_) => self.list(&items(node).unwrap_or_default(), at, depth),
        }
    }

    fn members(&mut self, members: &[(Cow<'_, str>, Node<'_>)], at: At, depth: usize) {
        let named = members.iter().find(|(name, _)| is_name(name)).and_then(|(_, value)| text_of(value));
        let is_beside = at.role == Some(Role::Beside);
        if let Some(name) = named.filter(|_| is_beside) {
            self.give(name);
        }
        let named = named.and_then(role);
        self.invoked(members);
        let is_url_in_parts = at.role == Some(Role::Url) || is_url_in_parts(members);
        let is_asked = members.iter().any(|(name, _)| is_of_a_statement(name));
        for (name, value) in members {
            self.mentioned(name);
            if is_beside {
                self.give(name);
            }
            // `{"to": {"bob@h.example": "Bob"}}`
            if (at.addressed || at.role == Some(Role::Person)) && name.contains('@') {
                self.addresses(name);
            }
            // A run that is told in parts is a thing; a text of that name is what is run.
            let in_parts = matches!(value, Node::Object(_)) && items(value).is_none();
            let is_a_thing = in_parts && name.eq_ignore_ascii_case("run");
            let own = role(name).filter(|_| !is_a_thing);
            let own = own.or_else(|| named.filter(|_| is_value(name)));
            let own = own.or_else(|| (is_asked && is_source(name)).then_some(Role::Relation));
            let own = own.filter(|own| own.may_be_in(at.role));
            let within = At {
                role: own.or(at.role),
                own: own.is_some(),
                many: Many::of(name, is_url_in_parts),
                addressed: at.addressed || own == Some(Role::Recipient),
                is_word: false,
            };
            self.walk(value, within, depth + 1);
        }
    }

    fn list(&mut self, items: &[&Node<'_>], at: At, depth: usize) {
        let line = joined(items).filter(|_| matches!(at.role, Some(Role::Command | Role::Arguments)));
        if let Some(line) = &line {
            self.command(line, false);
        }
        if matches!(at.role, Some(Role::Sql | Role::Query))
            && let Some(statement) = joined(items).filter(|_| items.len() > 1)
        {
            self.statement(&statement, false);
        }
        // `{"protocol": "https", "hostname": ["h", "example"]}`: the labels of one name. Where nothing says that a URL
        // is told in parts, they are hosts like others, and it is not known whether they are one together.
        if at.role == Some(Role::Host)
            && at.many != Many::Several
            && let Some(labels) = words(items).filter(|labels| labels.len() > 1)
            && labels.iter().all(|label| !label.is_empty() && !label.contains(['.', ':', '/', ' ']))
        {
            if at.many == Many::Part {
                self.host_parameter(&labels.join("."));
            } else {
                self.params.facts_cut = true;
            }
        }
        let is_word = at.many != Many::Several && line.as_deref().is_some_and(Self::is_of_words);
        for item in items {
            // The words of a command are one; what has blanks may be a command by itself.
            let alone = line.is_none()
                || at.many == Many::Several && at.role == Some(Role::Command)
                || text_of(item).is_some_and(is_line);
            let role = at.role.filter(|role| match role {
                Role::Command => alone,
                Role::Arguments => false,
                _ => true,
            });
            self.walk(item, At { role, is_word, ..at }, depth + 1);
        }
    }

    fn text(&mut self, text: &str, at: At, depth: usize) {
        // JSON in a string, as tools get their arguments.
        let trimmed = visible(text);
        let trimmed = trimmed.trim();
        if trimmed.starts_with(['{', '[', '"']) {
            match tree::read(trimmed, depth + 1) {
                Ok(inner) => return self.walk(&inner, at, depth + 1),
                Err(_) if at.role == Some(Role::Command) && shell::is_condition(trimmed) => {}
                Err(_) if meant_as_json(trimmed) => {
                    self.params.facts_cut |= at.addressed || !is_plain_literal(trimmed, at.role);
                    self.walk(&lenient::read(trimmed, depth + 1), at, depth + 1);
                }
                Err(_) => {}
            }
        }
        self.mentioned(text);
        if at.role == Some(Role::Beside) {
            self.give_each(text);
        }
        self.named(text, at);
        let is_fact = match at.role {
            // Of a command it is asked where that is taken.
            None
            | Some(
                Role::Beside
                | Role::Arguments
                | Role::Command
                | Role::Query
                | Role::Place
                | Role::Head
                | Role::Data
                | Role::Code,
            ) => at.addressed,
            Some(Role::Person) => at.addressed || text.contains('@'),
            Some(_) => true,
        };
        if is_fact {
            for reading in self.seen_through(text).into_iter().flatten() {
                self.named(&reading, at);
            }
        }
    }

    /// A text as what its name says that it is.
    fn named(&mut self, text: &str, at: At) {
        match at.role {
            Some(Role::Url) => {
                self.url(text, at);
                if let Some((_, query)) =
                    text.split_once('?').filter(|_| text.contains("://") && !urls::is_web(text))
                {
                    self.connection(query);
                }
            }
            Some(Role::Host) => self.host_parameter(text),
            Some(Role::Command) => {
                self.command(text, !at.is_word);
                self.code(text);
            }
            Some(Role::Code) => self.code(text),
            Some(Role::Arguments) if at.own => self.command(text, false),
            Some(Role::Table) => self.table(text),
            Some(Role::Relation) if at.own => self.maybe_table(text),
            // A text beside it is a value of it, or says something of it.
            Some(Role::Sql) => self.statement(text, at.own),
            Some(Role::Query) => self.statement(text, false),
            Some(Role::Place) => self.maybe_host(text),
            Some(Role::Connection) => self.connection(text),
            Some(Role::Head) => self.head(text),
            Some(Role::Data) if at.own => self.head(text),
            Some(Role::Person) if text.contains('@') => self.addresses(text),
            _ => {}
        }
        if at.addressed {
            self.addresses(text);
            if at.role == Some(Role::Host) {
                // `{"to": {"user": "bob", "domain": "h.example"}}`
                if let Some(domain) = urls::host(text) {
                    self.recipient(&domain);
                }
            }
        }
    }

    /// A text of which no name says what it is: most tools that take only one run it or open it.
    fn nameless(&mut self, text: &str) {
        self.command(text, true);
        if text.contains("://") && !text.contains(char::is_whitespace) {
            self.url(text, At::default());
        }
    }

    /// A text as others may take it, where something in it cannot be read: some pass over that, as a shell does over
    /// U+0000, and to some a word ends there.
    fn seen_through(&mut self, text: &str) -> Option<[String; 2]> {
        if !text.contains(is_illegible) {
            return None;
        }
        self.params.facts_cut = true;
        Some(["", " "].map(|instead| text.replace(is_illegible, instead)))
    }

    fn number(&mut self, token: &str, at: At) {
        let address = token.parse::<u32>().is_ok_and(|number| number >= FIRST_ADDRESS);
        match at.role {
            Some(Role::Host) if address => self.host_parameter(token),
            Some(Role::Table) if at.own => self.table(token),
            _ => {}
        }
    }

    fn url(&mut self, text: &str, at: At) {
        // Within a URL that is told in parts, a part is a URL only if it says so.
        if !at.own && !text.contains([':', '/', '\\']) {
            return;
        }
        match urls::place(text) {
            Place::At(host, path) => self.place(&host, &path),
            Place::Path(path) => {
                let path = self.fact(&path);
                if self.paths.len() < MAX_ITEMS {
                    self.paths.push(path);
                } else {
                    self.params.facts_cut = true;
                }
            }
            Place::Nowhere if text.trim_start().to_ascii_lowercase().starts_with("mailto:") => {
                urls::domains(text, |domain| match domain {
                    Some(domain) => self.recipient(&domain),
                    None => self.params.facts_cut = true,
                });
            }
            Place::Nowhere => {}
            Place::Unreadable => self.params.facts_cut = true,
        }
    }

    fn host_parameter(&mut self, text: &str) {
        match urls::host(text) {
            Some(host) => self.place(&host, ""),
            None => self.params.facts_cut |= !text.trim().contains(char::is_whitespace),
        }
    }

    fn place(&mut self, host: &str, path: &str) {
        self.params.facts_cut |= urls::is_strange(host);
        self.host(host);
        let url = UrlFact { host: self.fact(host), path: self.fact(path) };
        if self.urls.contains(&url) {
            return;
        }
        let bytes: usize = self.urls.iter().map(|url| url.path.len()).sum();
        if self.urls.len() < MAX_ITEMS && bytes + url.path.len() <= MAX_BYTES {
            self.urls.push(url);
        } else {
            self.params.facts_cut = true;
        }
    }

    fn mentioned(&mut self, text: &str) {
        self.mentions(text);
        // A form, or a URL within another one's query: `url=http%3A%2F%2Fh.example`.
        if text.contains('%')
            && let Cow::Owned(plain) = percent_decode_str(self.bounded(text)).decode_utf8_lossy()
        {
            self.mentions(&plain);
        }
    }

    fn mentions(&mut self, text: &str) {
        let mut left = self.mentions_left;
        urls::mentions(text, &mut left, |mention| match mention {
            Mention::Host(host) => self.host(&host),
            Mention::Unreadable => self.params.facts_cut = true,
        });
        self.mentions_left = left;
    }

    fn host(&mut self, host: &str) {
        let host = self.fact(host);
        self.params.facts_cut |= !insert(&mut self.params.hosts, host);
    }

    fn recipient(&mut self, domain: &str) {
        let domain = self.fact(domain);
        self.params.facts_cut |= !insert(&mut self.params.recipients, domain);
    }

    /// As much of a text as is read for a fact: redaction may make it shorter.
    fn bounded<'t>(&mut self, text: &'t str) -> &'t str {
        self.params.facts_cut |= text.len() > MAX_READ;
        &text[..text.floor_char_boundary(MAX_READ)]
    }

    /// A text as a fact: redacted, and not longer than allowed.
    fn fact(&mut self, text: &str) -> String {
        let fact = redact_text(self.bounded(text)).value.replace('\0', "\u{fffd}");
        let fact = composed(&fact);
        self.params.facts_cut |= fact.len() > MAX_TEXT;
        fact[..fact.floor_char_boundary(MAX_TEXT)].to_owned()
    }

    fn done(mut self) -> ParamFacts {
        self.ask_again();
        // A path by itself is on the host that the other parameters name.
        let host = self.urls.first().map(|url| url.host.clone()).unwrap_or_default();
        let room = MAX_ITEMS - self.urls.len();
        self.params.facts_cut |= self.paths.len() > room;
        self.urls.extend(self.paths.into_iter().take(room).map(|path| UrlFact { host: host.clone(), path }));
        if let Some(first) = self.urls.first() {
            self.params.url_host.clone_from(&first.host);
            self.params.url_path.clone_from(&first.path);
        }
        if self.urls.len() > 1 {
            self.params.urls = self.urls;
        }
        self.params
    }
}

/// Whether there was room.
fn insert(set: &mut BTreeSet<String>, item: String) -> bool {
    let room = set.len() < MAX_ITEMS || set.contains(&item);
    if room {
        set.insert(item);
    }
    room
}

#[cfg(test)]
mod tests {
    use crate::spent::spent;

    use super::*;

    /// Where each of eight long commands was tried anew with each of seven texts of arguments, it was as long as 127 of
    /// them.
    #[test]
    fn long_commands_beside_each_other_take_no_longer_than_apart() {
        const ARGUMENTS: [&str; 7] =
            ["args", "arguments", "arglist", "argumentlist", "cmdargs", "commandargs", "flags"];
        let words = (0..6_000).map(|at| format!("f{at}")).collect::<Vec<_>>().join(" ");
        let commands = (0..MAX_INVOKED).map(|at| format!("m{at}_command"));
        let names = commands.chain(ARGUMENTS.map(str::to_owned));
        let members: Vec<String> = names.map(|name| format!("\"{name}\":\"of_{name} {words}\"")).collect();
        let together = format!("{{{}}}", members.join(","));
        let apart = format!("[{{{}}}]", members.join("},{"));
        let took = |params: &str| {
            let took = |_| spent(|| assert!(param_facts(params, false).expect("is JSON").facts_cut));
            (0..3).map(took).min().unwrap_or_default()
        };
        let (together, apart) = (took(&together), took(&apart));
        assert!(together < 4 * apart, "{together:?}, and apart {apart:?}");
    }

    #[test]
    fn short_commands_are_told_with_each_of_their_arguments() {
        let params = r#"{"command":"rm","program":"ls","args":["-a"],"argv":["-b","c"]}"#;
        let commands = param_facts(params, false).expect("is JSON").commands;
        for line in ["rm", "rm -a", "rm -b c", "ls", "ls -a", "ls -b c", "-b c"] {
            assert!(commands.contains(line), "{line}: {commands:?}");
        }
    }
}
