//! Values that are named in plain text: `password=..`, `"token": ".."`, `--api-key ..`.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    fields::{classify, says_little, words},
    findings::{Class, is_marker, marker_at},
    nothing::{
        MAX_STANDIN, is_code, is_mixed, is_nothing, is_said, is_strong, looks_random, names_one, place,
    },
    ruling::{Ruling, over},
};

/// `--password ..`
pub(super) const FLAG: &str = r#"(?i)(?:^|[\s"'])--?(?&name)[ \t]+"#;

/// How far the end of a string is looked for.
const MAX_QUOTED: usize = 65_536;
/// Longer arguments hold no secret.
const MAX_ARGUMENT: usize = 16_384;
/// A string in four others has so many backslashes before its quotes. What has more is read without them (`unveil`):
/// were each a quote of another kind, none would close the one before.
const MAX_SLASHES: usize = 31;
/// Longer types are none.
const MAX_TYPE: usize = 128;
/// How far back the bracket of a call, or the quote that a string begins with, is looked for.
const MAX_CALL: usize = 256;

/// `name = value` and `"name": "value"`, where the name says what the value is.
pub(super) fn named(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), end) = (matched.get(1), matched.get_match().end()) else { return over(matched) };
    let Some(class) = classify(name.as_str()) else { return Ruling::PassOver(name.end()) };
    if is_of_a_parser(class, &text[..name.start()]) {
        return Ruling::PassOver(name.end());
    }
    // `password: str = ".."`: what stands behind the colon is a type.
    let behind_type = typed(text, name.end(), end);
    let end = behind_type.unwrap_or(end);
    let joint = &text[name.end()..end];
    let spaced = joint.contains([' ', '\t']);
    // `**Password:** ..`
    let joint = joint.trim_end_matches(['*', ' ', '\t']);
    let two = joint.trim().ends_with("==");
    let assigned = joint.trim_end().ends_with('=') && !(two && spaced);
    if joint.trim_end().ends_with(':')
        && let Some(range) = block_at(text, name.start(), end)
    {
        let kept = is_marker(&text[range.clone()]);
        return if kept { Ruling::PassOver(range.end) } else { Ruling::Remove(vec![(range, class)]) };
    }
    let colon = joint.trim_end().ends_with(':');
    if colon && is_prompt(text, name.start(), end) {
        return Ruling::PassOver(name.end());
    }
    let Some((range, quoted)) = value_at(text, end, assigned) else { return Ruling::PassOver(name.end()) };
    let value = &text[range.clone()];
    if value.len() > MAX_STANDIN {
        return Ruling::Remove(vec![(range, class)]);
    }
    // In prose a colon is followed by words, and in code an equals sign by an expression.
    let code = is_code(value, colon, spaced);
    let code = code || behind_type.is_some() && !looks_random(value);
    let of_a_sentence = joint.trim_end().ends_with(char::is_alphabetic) && is_said(value);
    let telling = if two && (spaced || quoted) {
        (quoted || !code) && is_compared(class, value)
    } else if says_little(name.as_str()) {
        // `pass = shadow` is code, and `PASS: 12` says what a test did.
        let close = assigned && !spaced;
        let random = (assigned || name.as_str() == "pass") && looks_random(value);
        !is_verdict(value) && (quoted || !code && !is_count(value) && (close || random))
    } else {
        let told = || class == Class::Secret(S::Password) && is_told(text, name.start(), &range);
        // In marks of code a manual has names and types.
        let marked = text[..range.start].ends_with('`') && class != Class::Secret(S::Password);
        let telling = if marked { is_mixed(value) } else { looks_random(value) };
        quoted || !code && (assigned || telling || alone(text, name.start(), range.end) || told())
    };
    let is_none = is_nothing(value)
        || of_a_sentence
        || is_way(class, value)
        || is_kept_at(name.as_str(), value)
        || !quoted
            && assigned
            && is_named_so(class, value)
            && is_in_code(text, &name.range(), &range, spaced)
        || !quoted && is_few(name.as_str(), class, value)
        || is_of_a_place(name.as_str(), class) && place(&text[range.start..]).is_some();
    if !telling || is_none { Ruling::PassOver(name.end()) } else { Ruling::Remove(vec![(range, class)]) }
}

/// Whether a value that a name is compared with (`==`) is a secret. To code a token is a word or a sign of a language
/// as often as it is one of access, and `auth` a way of it: only what is mixed as no word is goes there.
fn is_compared(class: Class, value: &str) -> bool {
    match class {
        Class::Secret(S::Token | S::BearerToken | S::Jwt | S::Authorization | S::Cookie | S::Credential) => {
            is_mixed(value)
        }
        _ => looks_random(value),
    }
}

/// Whether it is a number.
pub(super) fn is_count(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where the value begins behind a type that stands behind a colon: `: Option<&'static str> = `. A blank stands before
/// the sign.
fn typed(text: &str, from: usize, colon: usize) -> Option<usize> {
    if !text[from..colon].trim_end().ends_with(':') {
        return None;
    }
    let rest = &text[colon..];
    let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b"_ &'<>[].:|?*".contains(&byte);
    let sign = rest.bytes().take(MAX_TYPE).position(|byte| !is_type(byte))?;
    if !rest[sign..].starts_with('=') {
        return None;
    }
    let behind = rest[sign + 1..].trim_start_matches([' ', '\t']);
    let told = &rest[..sign];
    // `password: swordfish user = bob` is no type, nor is `SSN: 123456789 and = ..`.
    let is_word = told.split_whitespace().nth(1).is_none() || told.contains(['&', '<', '|']);
    let is_value = |word: &str| is_strong(word) || word.starts_with(|c: char| c.is_ascii_digit());
    let is_one = told.ends_with(' ') && is_word && !told.split(' ').any(is_value);
    (is_one && !rest[sign + 1..].starts_with(['=', '>', '~'])).then(|| text.len() - behind.len())
}

/// Whether somebody tells a password of theirs, a word that a sentence ends with: `my password is swordfish.`
fn is_told(text: &str, name: usize, value: &Range<usize>) -> bool {
    let before = text[..name].trim_end_matches([' ', '\t']);
    let whose = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let word = text[value.clone()].trim_end_matches(['.', '!']);
    let rest = &text[value.start + word.len()..];
    ["my", "our", "mein", "unser"].iter().any(|mine| whose.eq_ignore_ascii_case(mine))
        && before.len() < name
        && word.len() > 3
        && !word.ends_with("ing")
        && (rest.is_empty() || rest.starts_with(['.', '!', ',', ';', '\r', '\n']))
}

/// How many there are, or which of several it is: `secrets: 3`, `token: 12`.
fn is_few(name: &str, class: Class, value: &str) -> bool {
    let several = ["passwords", "secrets", "tokens", "keys", "credentials"];
    let ends = |end: &&str| {
        name.len()
            .checked_sub(end.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|n| n.eq_ignore_ascii_case(end))
    };
    is_count(value) && value.len() < 6 && (class == Class::Secret(S::Token) || several.iter().any(ends))
}

/// Whether the quote there closes the string that has the name in it, as a prompt does: `expect "password:"`.
fn is_prompt(text: &str, name: usize, at: usize) -> bool {
    let quote = text[at..].chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let Some(quote) = quote.filter(|quote| !text[name..at].contains(*quote)) else { return false };
    let line = text[near(text, name)..name].rsplit(['\r', '\n']).next().unwrap_or_default();
    let Some((before, within)) = line.rsplit_once(quote) else { return false };
    let opens = before.is_empty() || before.ends_with([' ', '\t', '(', '[', '{', ',', '=', ':']);
    let begins = within.is_empty() || within.starts_with(char::is_alphanumeric);
    opens && begins && before.matches(quote).count() % 2 == 0
}

/// A place before that one, and not far from it.
fn near(text: &str, at: usize) -> usize {
    (at.saturating_sub(MAX_CALL)..at).find(|at| text.is_char_boundary(*at)).unwrap_or(at)
}

/// The way in which one is let in, and not what for: `auth: basic`, `credentials: 'include'`.
pub(super) fn is_way(class: Class, value: &str) -> bool {
    #[rustfmt::skip]
    let ways: &[&str] = match class {
        Class::Secret(S::Authorization) => &[
            "apikey", "basic", "bearer", "digest", "iam", "jwt", "kerberos", "ldap", "mtls", "negotiate", "none", "ntlm", "oauth",
            "oauth2", "oidc", "password", "saml", "sso", "token",
        ],
        Class::Secret(S::Credential) => &["include", "none", "omit", "same-origin"],
        Class::Secret(S::Cookie) => &["none"],
        _ => &[],
    };
    ways.iter().any(|way| value.eq_ignore_ascii_case(way))
}

/// Whether it is where a store of secrets keeps one: a `SecretId` that is a path, and not one that lets in.
pub(super) fn is_kept_at(name: &str, value: &str) -> bool {
    let is_path = value.contains('/') && !value.split('/').any(|part| is_mixed(part) || is_strong(part));
    (is_path || value.starts_with("arn:"))
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.:-".contains(&byte))
        && words(name).iter().map(String::as_str).eq(["secret", "id"])
}

/// Whether a value has the name of what it is put into: `password = pw`.
fn is_named_so(class: Class, value: &str) -> bool {
    names_one(value) && value.rsplit('.').next().and_then(classify) == Some(class)
}

/// Whether such a value stands in code, and not in settings, where it may be a password that is as weak: in a member
/// that it is put into, before the end of a statement, or as an argument of a call.
fn is_in_code(text: &str, name: &Range<usize>, value: &Range<usize>, spaced: bool) -> bool {
    let rest = &text[value.end..];
    if spaced && (text[name.clone()].contains('.') || rest.starts_with(';')) {
        return true;
    }
    let before = text[near(text, name.start)..name.start].trim_end();
    before.ends_with(['(', ',']) && before.rfind('(') > before.rfind(')') && rest.starts_with([')', ','])
}

/// Whether a parser speaks of a token: `Unexpected token: x`.
fn is_of_a_parser(class: Class, before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    let word = before.len().checked_sub("unexpected".len()).and_then(|at| before.get(at..));
    class == Class::Secret(S::Token) && word.is_some_and(|word| word.eq_ignore_ascii_case("unexpected"))
}

/// Whether what has that name may be a folder, as where a shell is, or the file with a key.
pub(super) fn is_of_a_place(name: &str, class: Class) -> bool {
    let own = name.trim_matches(|c: char| !c.is_alphanumeric());
    own.eq_ignore_ascii_case("pwd") || class == Class::Secret(S::PrivateKey)
}

/// A value that says how something went: `pass: yes`.
pub(super) fn is_verdict(value: &str) -> bool {
    let verdicts = ["yes", "no", "y", "n", "ok", "pass", "passed", "fail", "failed", "true", "false"];
    verdicts.iter().any(|verdict| value.trim().eq_ignore_ascii_case(verdict))
}

/// The lines of a YAML block (`password: |`), which are indented more than the line of its name.
fn block_at(text: &str, name: usize, start: usize) -> Option<Range<usize>> {
    let indicator = text[start..].strip_prefix(['|', '>'])?;
    let rest = indicator.trim_start_matches(|c: char| matches!(c, '+' | '-' | '1'..='9'));
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    if !rest.starts_with('\n') {
        return None;
    }
    let indent = |line: &str| line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = text[..name].rfind('\n').map_or(0, |at| at + 1);
    let outer = indent(&text[line..]);
    let mut at = text.len() - rest.len();
    let mut block: Option<Range<usize>> = None;
    for line in text[at..].split_inclusive('\n') {
        let (inner, held) = (indent(line), line.trim_end().len());
        // What is left of the line with the name is empty, as lines of a block may be.
        if held > 0 {
            if inner <= outer {
                break;
            }
            let from = block.as_ref().map_or(at + inner, |block| block.start);
            block = Some(from..at + held);
        }
        at += line.len();
    }
    block
}

/// `--password value`
pub(super) fn flag(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), end) = (matched.get(1), matched.get_match().end()) else { return over(matched) };
    let (Some(class), Some((range, _))) = (classify(name.as_str()), value_at(text, end, false)) else {
        return Ruling::PassOver(name.end());
    };
    let value = &text[range.clone()];
    // `ffmpeg -pass 1`
    let is_none = says_little(name.as_str()) && (is_count(value) || is_verdict(value));
    if is_none || is_nothing(value) || is_kept_at(name.as_str(), value) || text[end..].starts_with('-') {
        Ruling::PassOver(name.end())
    } else {
        Ruling::Remove(vec![(range, class)])
    }
}

/// The value that begins there, and whether it is in quotes. In a query an `&` ends it.
pub(super) fn value_at(text: &str, start: usize, query: bool) -> Option<(Range<usize>, bool)> {
    let start = start + literal_prefix(&text[start..]);
    let rest = &text[start..];
    let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    let is_quote = |sign: &char| matches!(sign, '"' | '\'') && slashes <= MAX_SLASHES;
    let quote = rest[slashes..].chars().next().filter(is_quote);
    if let Some(quote) = quote {
        let from = start + slashes + 1;
        if let Some(range) = tripled(text, start, quote) {
            return Some((range, true));
        }
        if let Some(end) = closing(text, from, quote, slashes) {
            return (end > from).then_some((from..end, true));
        }
        // A string that does not close was cut: all that is left of its line is the value.
        let end = line_end(text, from);
        return (end > from).then_some((from..end, true));
    }
    let ends = |c: char| {
        c.is_whitespace()
            || query && c == '&'
            || matches!(c, '"' | '\'' | '`' | ',' | ';' | '<' | '>' | ')' | '}' | ']' | '\\')
    };
    // In the marks of code of a page, or of a template; what a shell runs is more than a word, or begins with a `$`.
    let start = start + usize::from(is_marked(rest));
    let mut end = until(text, start, ends);
    // What another detector has left of the value belongs to it.
    while let Some(marker) = marker_at(&text[end..]) {
        end = until(text, end + marker, ends);
    }
    (end > start).then_some((start..end, false))
}

/// The same where an argument of a call, of a command or of SQL stands.
pub(super) fn argument_at(text: &str, start: usize) -> Option<(Range<usize>, bool)> {
    value_at(text, start, false).filter(|(range, _)| range.len() <= MAX_ARGUMENT)
}

/// Where the line ends; the text, if the line goes on so far that to look for its end would count.
fn line_end(text: &str, from: usize) -> usize {
    let near = text.floor_char_boundary(from + MAX_QUOTED);
    text[from..near].find(['\r', '\n']).map_or(text.len(), |at| from + at)
}

/// What is between three quotes and three quotes, on one line.
fn tripled(text: &str, start: usize, quote: char) -> Option<Range<usize>> {
    let three = String::from_iter([quote; 3]);
    let from = start + three.len();
    let length = text[start..].strip_prefix(&three)?.find(&three)?;
    let end = from + length;
    (end > from && !text[from..end].contains('\n')).then_some(from..end)
}

/// Whether a text begins with one word between backticks that is no name of a command, and no URL.
fn is_marked(rest: &str) -> bool {
    let Some(inner) = rest.strip_prefix('`') else { return false };
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '$' | '"' | '\'' | '(' | '<');
    inner.find(ends).is_some_and(|at| {
        looks_random(&inner[..at]) && !inner[..at].contains("://") && inner[at..].starts_with('`')
    })
}

/// How long the sign of a language is that stands before the quotes of a string: `b".."`, `$'..'`.
fn literal_prefix(rest: &str) -> usize {
    let signs = rest.bytes().take_while(|byte| b"bBeEfFnNrRuU$@".contains(byte)).count();
    if (1..=2).contains(&signs) && rest[signs..].starts_with(['"', '\'']) { signs } else { 0 }
}

/// Where a string that was opened with so many backslashes before its quote is closed in the same way.
fn closing(text: &str, from: usize, quote: char, slashes: usize) -> Option<usize> {
    let mut escapes = 0;
    for (at, character) in text[from..].char_indices() {
        match character {
            _ if at > MAX_QUOTED => return None,
            '\\' => escapes += 1,
            _ if character == quote && (escapes == slashes || slashes == 0 && escapes % 2 == 0) => {
                return Some(from + at - slashes.min(escapes));
            }
            _ => escapes = 0,
        }
    }
    None
}

/// Where the first such character is, from there on.
pub(super) fn until(text: &str, from: usize, ends: impl Fn(char) -> bool) -> usize {
    text[from..].find(ends).map_or(text.len(), |at| from + at)
}

/// Whether a line holds nothing but the name and its value, as in a file of settings.
fn alone(text: &str, from: usize, to: usize) -> bool {
    let on_the_line = |c: &char| *c != '\n';
    text[..from].chars().rev().take_while(on_the_line).all(|c| c.is_whitespace() || c == '-')
        && text[to..].chars().take_while(on_the_line).all(char::is_whitespace)
}
