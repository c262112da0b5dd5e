//! Facts of a call, from its raw content before that is dropped.

use std::collections::BTreeSet;

use proof::hmac::TenantKey;
use rules::facts::{ContentFacts, ParamFacts};
use serde_json::Value;

use super::{Raw, findings::Found, redact_text, screen, screen::content_facts};

/// The longest text fact, in bytes. A longer one is cut, and `content.truncated` says so.
const MAX_TEXT: usize = 16_384;
/// The most hosts or recipients of one call.
const MAX_ITEMS: usize = 128;

/// The facts of a call's raw content. [`screen()`] gives them together with the redacted content, in one scan.
#[must_use]
pub fn derive(
    key: &TenantKey,
    params: Option<&str>,
    prompt: Option<&str>,
    response: Option<&str>,
) -> (ContentFacts, ParamFacts) {
    let raw = Raw { params, outcome_data: None, prompt, response };
    if let Ok(screened) = screen(key, raw) {
        return (screened.content, screened.param_facts);
    }
    // What is no JSON is refused at the door; here it counts as text, and its sizes and findings hold.
    let as_text = Raw { params: None, prompt: params.or(prompt), ..raw };
    let content = screen(key, as_text).map(|screened| screened.content);
    (content.unwrap_or_else(|_| content_facts(key, &Found::default(), raw, true)), ParamFacts::default())
}

/// The typed common parameters, redacted, and whether one had to be cut.
pub(super) fn param_facts(params: &str) -> Result<(ParamFacts, bool), serde_json::Error> {
    let params: Value = serde_json::from_str(params)?;
    let mut facts = Facts::default();
    facts.collect(&params, false, 0);
    if let Value::Object(members) = &params {
        let member = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| members.iter().find(|(key, _)| plain(key) == *name).map(|(_, value)| value))
        };
        let url = member(&["url", "uri", "href", "endpoint", "link", "baseurl", "targeturl", "webhookurl"]);
        if let Some((host, path)) = url.and_then(Value::as_str).and_then(split_url) {
            facts.params.url_host = host;
            facts.params.url_path = facts.text(path);
        } else if let Some(host) = member(&["host", "hostname", "domain", "server"]).and_then(Value::as_str) {
            facts.params.url_host = facts.text(host.trim()).to_lowercase();
        }
        let host = facts.params.url_host.clone();
        facts.host(host);
        if let Some(command) =
            member(&["command", "cmd", "commandline", "shellcommand", "script", "shell", "bash"])
        {
            facts.params.command = facts.text(&words(command));
        }
        if let Some(table) = member(&["table", "tablename", "tableid"]).and_then(Value::as_str) {
            facts.params.table = facts.text(table);
        }
    }
    Ok((facts.params, facts.cut))
}

#[derive(Default)]
struct Facts {
    params: ParamFacts,
    cut: bool,
}

impl Facts {
    /// A text as a fact: redacted, and not longer than allowed.
    fn text(&mut self, text: &str) -> String {
        let mut fact = redact_text(text).value;
        if fact.len() > MAX_TEXT {
            self.cut = true;
            let end = (0..=MAX_TEXT).rev().find(|at| fact.is_char_boundary(*at)).unwrap_or(0);
            fact.truncate(end);
        }
        fact
    }

    fn host(&mut self, host: String) {
        if !host.is_empty() {
            self.cut |= !insert(&mut self.params.hosts, host);
        }
    }

    /// Hosts anywhere; recipients under the names of recipients.
    fn collect(&mut self, value: &Value, addressed: bool, depth: usize) {
        match value {
            Value::String(text) => {
                for url in text.match_indices("://").map(|(at, _)| &text[at..]) {
                    if let Some((host, _)) = split_url(url) {
                        self.host(host);
                    }
                }
                if addressed {
                    for domain in domains(text) {
                        self.cut |= !insert(&mut self.params.recipient_domains, domain);
                    }
                }
                // JSON in a string, as tools get their arguments.
                if depth < 4
                    && text.trim_start().starts_with(['{', '['])
                    && let Ok(inner) = serde_json::from_str::<Value>(text)
                {
                    self.collect(&inner, addressed, depth + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, addressed, depth)),
            Value::Object(members) => {
                for (name, value) in members {
                    self.collect(value, addressed || is_recipient(name), depth);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
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

fn is_recipient(name: &str) -> bool {
    let known = [
        "to",
        "cc",
        "bcc",
        "recipient",
        "recipients",
        "email",
        "emails",
        "emailaddress",
        "toemail",
        "toaddress",
        "toaddresses",
        "emailto",
        "sendto",
        "mailto",
        "attendees",
        "invitees",
        "receiver",
        "receivers",
    ];
    known.contains(&plain(name).as_str())
}

/// A name without case and marks: `toAddress`, `to_address` and `To-Address` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A command as one line, whether it is given as text or as a list of words.
fn words(command: &Value) -> String {
    match command {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Host in lower case, and path without query, of what is or may be a URL.
fn split_url(url: &str) -> Option<(String, &str)> {
    let url = url.trim();
    let scheme =
        |at: &usize| url[..*at].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    let rest = match url.find("://").filter(scheme) {
        Some(at) => &url[at + 3..],
        // Without a scheme only what begins like a host name.
        None => Some(url)
            .filter(|url| url.split(['/', '?', '#']).next().is_some_and(|host| host.contains('.')))?,
    };
    let end = rest
        .find(|c: char| matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'' | '<' | '>') || c.is_whitespace());
    let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches(['.', ',', ')', ']', '}', ';']).to_lowercase();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    (!host.is_empty()).then_some((host, path))
}

/// The domains of every address in a text.
fn domains(text: &str) -> impl Iterator<Item = String> {
    text.match_indices('@').filter_map(|(at, _)| {
        let domain = &text[at + 1..];
        let end =
            domain.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(domain.len());
        let domain = domain[..end].trim_matches('.').to_lowercase();
        (!domain.is_empty()).then_some(domain)
    })
}
