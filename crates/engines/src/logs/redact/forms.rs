//! Passwords that no name stands right before: what is told to a server, second in a call, in a sentence, or in SQL.
//! One shape a form, each with what tells it from what only looks alike.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    commands::is_password,
    fields::{classify, words},
    findings::Class,
    nothing::{is_mixed, is_strong, looks_random, names_one},
    ruling::{Judge, Ruling, over},
    values::argument_at,
};

/// So far back from what identifies a user the statement is looked at.
const MAX_STATEMENT: usize = 400;
/// So many arguments of a call are looked at.
const MAX_ARGUMENTS: usize = 8;

/// First words of calls that give a secret, or say something of it: `get_password("bob")`.
#[rustfmt::skip]
const ASKS: &[&str] = &[
    "ask", "check", "expect", "fetch", "find", "forgot", "generate", "get", "has", "is", "load", "lookup", "new", "prompt", "read", "reset",
    "show", "validate",
];

/// Shapes and judges, as `shapes` has them: they are applied behind those of `lines`.
pub(super) const FORMS: &[(&str, Judge)] = &[
    // What is told to a server.
    (r"(?-u:\b)USER[ \t]+\S+[ \t\r\n]+(?:[0-9+][^\r\n]*[\r\n]+)?PASS[ \t]+([^\s<]+)", placed),
    (r"(?-u:\b)AUTH[ \t]+(?:PLAIN|LOGIN|XOAUTH2)[ \t]+([0-9A-Za-z+/]{8,}={0,2})", random),
    (r"(?m:^)(?:[^\s>]*>[ \t]*)?AUTH[ \t]+(?:[^\s<]+[ \t]+)?([^\s<]+)[ \t]*\r?(?m:$)", strong),
    // SQL.
    (
        concat!(
            r"(?i)(?-u:\b)identified[ \t\r\n]+(?:with[ \t\r\n]+[^\s;]+[ \t\r\n]+)?(?:by|as)[ \t\r\n]+",
            r"(?:(?:password|values)[ \t\r\n]+)?",
        ),
        identified,
    ),
    // `PASSWORD 'x'`, `setPassword("x")`, `password = ("x")`, `var password string = "x"`, `password <- "x"`
    (
        concat!(
            r"(?i)(?-u:\b)([0-9a-z_]*(?:passw(?:or)?d|passphrase|passwort|kennwort|secret|token|api_?key))",
            r#"(?:[ \t]*=?[ \t]*\([ \t]*|[ \t]+(?:(?:as[ \t]+)?string[ \t]*=[ \t]*)?|[ \t]*<-[ \t]*)[brune]?(\\*["'])"#,
        ),
        called,
    ),
    (r"(?i)set[ \t]+password[ \t]+for[ \t]+[^\s=]+[ \t]*=[ \t]*([^\s(<][^\s(<;]*)", statement),
    // Calls of which the second argument is one: `login("bob", "x")`, `fill("#password", "x")`
    (
        concat!(
            r"(?i)(?:\.(?:log_?in|sign_?in|log_?on|authenticate|auth)|(?-u:\b)auth[ \t]*=[ \t]*|(?-u:\b)[a-z_]*basic_?auth|digest_?auth",
            r#"|networkcredential|passwordauthentication)\([ \t]*(?:[a-z_]+=)?[bru]?\\*["'][^"'\r\n]*["'][ \t]*,[ \t]*"#,
            r#"(?:[a-z_]+=)?[bru]?(\\*["'])"#,
        ),
        second,
    ),
    (
        concat!(
            r#"(?i)(?-u:\b)(?:fill|type|set_?value|send_?keys|input|enter)\([ \t]*(?:"[^"\r\n]*passw[^"\r\n]*"|'[^'\r\n]*passw[^'\r\n]*')"#,
            r#"[ \t]*,[ \t]*(["'])"#,
        ),
        second,
    ),
    // `getByLabel('Password').fill('x')`, `find_element(By.ID, 'password').send_keys('x')`
    (
        concat!(
            r#"(?i)(?:passw|pwd)[^()"'\r\n]*["'][^()\r\n]*\)(?:\.(?:first|last|clear|click|focus|nth)\([0-9]*\))*"#,
            r"(?:\.(?:fill|type|press_?sequentially|send_?keys|set_?value|val|input)\([ \t]*|\.value[ \t]*=[ \t]*)",
            r#"(\\*["'])"#,
        ),
        second,
    ),
    // What answers a prompt: `expect "password:"; send "x\r"`, `child.expect('password:'); child.sendline('x')`
    (
        concat!(
            r#"(?i)passw[^"'\r\n]*["']\)?[;{ \t\r\n]*(?:[a-z_]+\.)?send(?:_?line)?(?:[ \t]+(?:--[ \t]+)?|\([ \t]*)"#,
            r#"[bru]?(\\*["'])"#,
        ),
        answered,
    ),
    (r#"(?i)convertto-securestring[ \t]+(?:-(?:string|asplaintext|force)[ \t]+)*(["'])"#, second),
    // Sentences.
    (
        concat!(
            r"(?i)(?-u:\b)(?:pass(?:word|wd|wort|phrase|code)|kennwort|pw)(?:[ \t]+(?:is|ist|lautet|to|of|with|as))?",
            r#"[ \t]+["'`]?([^\s"'`<>]{6,})"#,
        ),
        strong,
    ),
    (
        concat!(
            r"(?i)(?-u:\b)(?:(?:credentials|creds|log ?in|user(?:name)?(?:/pass(?:word)?)?)(?:[ \t]+(?:are|is|with|as))?[ \t]*:?",
            r#"[ \t]*[^\s:/,;"'<>=]+[ \t]+/[ \t]+|(?:credentials|creds|log ?in[ \t]+(?:with|as))(?:[ \t]+(?:are|is))?[ \t]*:?"#,
            r#"[ \t]*[^\s:/,;"'<>=]+:)([^\s"'<>]{6,})"#,
        ),
        strong,
    ),
];

fn password(part: &regex::Match<'_>) -> Ruling {
    Ruling::Remove(vec![(part.range(), Class::Secret(S::Password))])
}

/// The part that a shape has found, if it is one, and what `tells` it from other words says so.
fn told(matched: &Captures<'_>, tells: impl Fn(&str) -> bool) -> Ruling {
    let part = matched.get(1).or_else(|| matched.get(2));
    let is_one = |part: &regex::Match<'_>| {
        let value = part.as_str();
        is_password(value) && !value.starts_with(['$', '%', '`']) && tells(value)
    };
    part.filter(is_one).map_or_else(|| over(matched), |part| password(&part))
}

/// By its place alone.
pub(super) fn placed(_: &str, matched: &Captures<'_>) -> Ruling {
    told(matched, |_| true)
}

/// Where a word may stand in the same place.
pub(super) fn random(_: &str, matched: &Captures<'_>) -> Ruling {
    told(matched, looks_random)
}

/// Where any word, number or path may stand in the same place.
pub(super) fn strong(_: &str, matched: &Captures<'_>) -> Ruling {
    told(matched, is_strong)
}

/// Behind a user and a colon.
pub(super) fn of_a_user(_: &str, matched: &Captures<'_>) -> Ruling {
    told(matched, is_behind_a_user)
}

/// Whether it is none of what else stands behind a colon, a path, the rest of a URL or a version: `host:/path`,
/// `git+https://..`, `nginx:1.25.3`.
pub(super) fn is_behind_a_user(value: &str) -> bool {
    let is_version = |value: &str| {
        let (first, rest) = value.strip_prefix('v').unwrap_or(value).split_once('.').unwrap_or((value, ""));
        !rest.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit())
    };
    looks_random(value) && !value.contains(['/', '\\', '=', ',']) && !is_version(value)
}

/// `SET PASSWORD FOR bob = 'x'`
fn statement(text: &str, matched: &Captures<'_>) -> Ruling {
    let value = matched.get(1).and_then(|part| argument_at(text, part.start()));
    match value {
        Some((range, true)) if is_password(&text[range.clone()]) => {
            Ruling::Remove(vec![(range, Class::Secret(S::Password))])
        }
        _ => over(matched),
    }
}

/// `CREATE USER bob IDENTIFIED BY 'x'`; a word without quotes is one only in such a statement.
fn identified(text: &str, matched: &Captures<'_>) -> Ruling {
    let whole = matched.get_match();
    let Some((range, quoted)) = argument_at(text, whole.end()) else { return over(matched) };
    let from =
        (whole.start().saturating_sub(MAX_STATEMENT)..=whole.start()).find(|at| text.is_char_boundary(*at));
    let before = &text[from.unwrap_or(whole.start())..whole.start()];
    let statement = before.rsplit(';').next().unwrap_or_default().to_ascii_lowercase();
    let of_a_user = ["create user ", "alter user ", "replace user ", "create role ", "alter role ", "grant "]
        .iter()
        .any(|word| statement.contains(word));
    // In prose a thing is identified by another.
    let telling = of_a_user
        || quoted && (whole.as_str().starts_with("IDENTIFIED") || looks_random(&text[range.clone()]));
    if !telling || !is_password(&text[range.clone()]) {
        return over(matched);
    }
    Ruling::Remove(vec![(range, Class::Secret(S::Password))])
}

/// The string in quotes behind a name without a sign between them, or in the brackets of a call of that name.
pub(super) fn called(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), Some(quote)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    let asks = words(name.as_str()).first().is_some_and(|first| ASKS.contains(&first.as_str()));
    let class = classify(name.as_str()).filter(|_| !asks);
    let is_call = text[name.end()..quote.start()].contains('(');
    let value = argument_at(text, quote.start());
    let value = value.and_then(|(range, _)| if is_call { last_argument(text, range) } else { Some(range) });
    let (Some(class), Some(range)) = (class, value) else { return Ruling::PassOver(name.end()) };
    let value = &text[range.clone()];
    let telling = class == Class::Secret(S::Password) || is_mixed(value);
    if !telling || !is_argument(value) {
        return Ruling::PassOver(name.end());
    }
    Ruling::Remove(vec![(range, class)])
}

/// The last argument of a call behind its first one, if it is a string in quotes:
/// `set_password("service", "bob", "x")`.
fn last_argument(text: &str, first: Range<usize>) -> Option<Range<usize>> {
    let mut at = first.end;
    let mut last = Some(first);
    for _ in 0..MAX_ARGUMENTS {
        // Past the quote, and to the comma that follows.
        let rest = text[at..].trim_start_matches(['\\', '"', '\'', ' ', '\t']);
        let Some(next) = rest.strip_prefix(',') else { break };
        let next = next.trim_start();
        let start = text.len() - next.len();
        let (range, quoted) = argument_at(text, start)?;
        at = range.end;
        last = quoted.then_some(range);
    }
    last
}

/// The string in quotes that an argument of a call is.
pub(super) fn second(text: &str, matched: &Captures<'_>) -> Ruling {
    let value = matched.get(1).and_then(|quote| argument_at(text, quote.start()));
    match value {
        Some((range, true)) if is_argument(&text[range.clone()]) => {
            Ruling::Remove(vec![(range, Class::Secret(S::Password))])
        }
        _ => over(matched),
    }
}

/// What is sent to a prompt, if it is no variable of a shell: `send "$password\r"`.
fn answered(text: &str, matched: &Captures<'_>) -> Ruling {
    let quote = matched.get(1).map_or(0, |quote| quote.end());
    if text[quote..].starts_with('$') { over(matched) } else { second(text, matched) }
}

/// Whether a string can be the password that a call gets: no prose, and no name of one.
pub(super) fn is_argument(value: &str) -> bool {
    is_password(value) && !value.contains(char::is_whitespace) && !names_one(value)
}
