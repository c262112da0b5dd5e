//! The shapes of secrets and personal data, and the judges that tell them from what only looks alike.
//!
//! Every shape is ASCII where it can be: a Unicode word boundary would make the scan of other scripts slow.

use std::ops::Range;

use regex::Captures;
use rules::facts::{PiiClass as P, SecretKind as S};

use super::{
    checks::{iban_length, is_card, is_ssn, mod_97},
    detect::Ruling,
    fields::classify,
    findings::{Class, is_marker, marker_at},
};

/// Rules on one match of a shape in a text.
pub(super) type Judge = fn(&str, &Captures<'_>) -> Ruling;

/// Shapes and judges, in the order in which they are applied.
pub(super) const DEFINITIONS: &[(&str, Judge)] = &[
    (r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", private_key),
    (r"(?-u:\b)eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]{4,}){1,2}(?:\.[A-Za-z0-9_-]*){0,2}", |_, m| {
        all(m, S::Jwt)
    }),
    (r"(?-u:\b)hoc_[0-9A-Za-z]+_[0-9A-Za-z_-]{16,}", |_, m| all(m, S::HocKey)),
    (
        concat!(
            r"(?-u:\b)(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|(?-u:\b)AIza[0-9A-Za-z_-]{35}|(?-u:\b)ya29\.[0-9A-Za-z_-]{20,}",
            r"|(?-u:\b)GOCSPX-[0-9A-Za-z_-]{20,}|(?-u:\b)do[opr]_v1_[a-f0-9]{64}|(?-u:\b)LTAI[0-9A-Za-z]{12,}",
            r"|(?-u:\b)hv[sb]\.[0-9A-Za-z_-]{20,}|(?-u:\b)dapi[a-f0-9]{32}",
        ),
        |_, m| all(m, S::CloudKey),
    ),
    (
        concat!(
            r"(?-u:\b)gh[pousr]_[0-9A-Za-z]{16,}|(?-u:\b)github_pat_[0-9A-Za-z_]{16,}",
            r"|(?-u:\b)gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[0-9A-Za-z_-]{16,}|(?-u:\b)AT(?:BB|ATT3)[0-9A-Za-z_=-]{20,}",
        ),
        |_, m| all(m, S::GitToken),
    ),
    (
        concat!(
            r"(?-u:\b)xox[abeoprs]-[0-9A-Za-z-]{10,}|(?-u:\b)xapp-[0-9A-Za-z-]{10,}",
            r"|hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/_+-]{20,}",
            r"|discord(?:app)?\.com/api/webhooks/[0-9]+/[0-9A-Za-z_-]{20,}|(?-u:\b)[0-9]{8,10}:AA[0-9A-Za-z_-]{32,}",
            r"|(?-u:\b)[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,}",
        ),
        |_, m| all(m, S::ChatToken),
    ),
    (
        concat!(
            r"(?-u:\b)(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{10,}|(?-u:\b)whsec_[0-9A-Za-z+/=]{16,}",
            r"|(?-u:\b)sq0(?:atp|csp)-[0-9A-Za-z_-]{20,}|(?-u:\b)shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",
        ),
        |_, m| all(m, S::PaymentKey),
    ),
    (
        concat!(
            r"(?-u:\b)sk-[0-9A-Za-z_-]{16,}|(?-u:\b)gsk_[0-9A-Za-z]{20,}|(?-u:\b)hf_[0-9A-Za-z]{20,}|(?-u:\b)r8_[0-9A-Za-z]{20,}",
            r"|(?-u:\b)pplx-[0-9A-Za-z]{20,}|(?-u:\b)xai-[0-9A-Za-z]{20,}|(?-u:\b)nvapi-[0-9A-Za-z_-]{20,}",
            r"|(?-u:\b)lsv2_(?:pt|sk)_[0-9a-f_]{20,}|(?-u:\b)pcsk_[0-9A-Za-z_]{20,}",
        ),
        llm_key,
    ),
    (
        concat!(
            r"(?-u:\b)npm_[0-9A-Za-z]{30,}|(?-u:\b)pypi-[0-9A-Za-z_-]{16,}|(?-u:\b)dckr_pat_[0-9A-Za-z_-]{20,}",
            r"|(?-u:\b)rubygems_[0-9a-f]{48}|(?-u:\b)oy2[0-9a-z]{43}",
        ),
        |_, m| all(m, S::RegistryToken),
    ),
    (
        r"(?-u:\b)SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|(?-u:\b)key-[0-9a-f]{32}(?-u:\b)|(?-u:\b)NRAK-[0-9A-Z]{20,}",
        |_, m| all(m, S::ApiKey),
    ),
    (
        concat!(
            r#"(?i)authorization\\*["']?[ \t]*[:=][ \t]*(?:\\*["'])?"#,
            r"(?:basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256)[ \t]+",
        ),
        |text, m| header(text, m, S::Authorization),
    ),
    (r"(?i)(?-u:\b)bearer[ \t]+([0-9A-Za-z._~+/=-]{8,})", bearer),
    (r"(?i)(?-u:\b)(?:set-)?cookie:[ \t]*", |text, m| header(text, m, S::Cookie)),
    (r#"://[^\s/?#:@"'<>]*:([^\s/?#"'<>]+)@"#, |_, m| part(m, S::UrlCredentials)),
    (r#"://([^\s/?#:@"'<>]{16,})@"#, url_token),
    (r"(?i)(?-u:\b)[a-z]{2}[0-9]{2}(?:[ ]?[a-z0-9]){11,30}", iban),
    (r"(?-u:\b)[0-9](?:[ -]?[0-9]){12,}", cards),
    (r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)", ssn),
    (
        concat!(
            r#"(?i)([0-9a-z_.\-]*(?:passw(?:or)?d|pwd|passphrase|passcode|secret|token|auth|apikey|(?:api|access|private|"#,
            r#"account|signing|encryption|master|client|shared)[ _.\-]?key|credential|dsn|ssn|social[ _.\-]security|card[ _.\-]?n|"#,
            r#"credit[ _.\-]?card|cvv|cvc|security[ _.\-]code)[0-9a-z_.\-]*(?:[ ](?:number|code|key|no))?)"#,
            r#"\\*["'`]?(?:[ \t]*(?:=>|=|:)|[ \t]is[ \t:])[ \t]*"#,
        ),
        named,
    ),
    (
        concat!(
            r#"(?i)(?:^|[\s"'])--?([0-9a-z_\-]*(?:passw(?:or)?d|pwd|passphrase|secret|token|auth|api-?key|access-?key|"#,
            r#"private-?key|credential)[0-9a-z_\-]*)[ \t]+"#,
        ),
        flag,
    ),
    (r#"(?:^|\s)(?:-u|--user)[ =]?["']?([^\s:"'<>]+):([^\s"'<>]+)"#, user_and_password),
    (r"(?i)[?&;](?:sig|signature|x-(?:amz|goog)-signature|hmac)=([0-9a-z%+/=_.\-]{16,})", |_, m| {
        part(m, S::Token)
    }),
    (
        concat!(
            r#"[^\s@<>"'(),;:\[\]{}\\/=&?|`]+(?:'[^\s@<>"'(),;:\[\]{}\\/=&?|`]+)*(?:@|%40)[0-9A-Za-z\x{80}-\x{10FFFF}-]+"#,
            r"(?:\.[0-9A-Za-z\x{80}-\x{10FFFF}-]+)*\.[A-Za-z\x{80}-\x{10FFFF}]{2,}",
        ),
        email,
    ),
];

/// How far the end of a string is looked for.
const MAX_QUOTED: usize = 65_536;

fn all(matched: &Captures<'_>, kind: S) -> Ruling {
    Ruling::Remove(vec![(matched.get_match().range(), Class::Secret(kind))])
}

fn part(matched: &Captures<'_>, kind: S) -> Ruling {
    let range = matched.get(1).map_or_else(|| matched.get_match().range(), |part| part.range());
    Ruling::Remove(vec![(range, Class::Secret(kind))])
}

fn over(matched: &Captures<'_>) -> Ruling {
    Ruling::PassOver(matched.get_match().end())
}

/// From its first line to its last; to the end of the text where that is missing.
fn private_key(text: &str, matched: &Captures<'_>) -> Ruling {
    let Range { start, end } = matched.get_match().range();
    let last = text[end..].find("-----END").map(|at| end + at + "-----END".len());
    let end =
        last.map_or(text.len(), |at| text[at..].find("-----").map_or(text.len(), |dashes| at + dashes + 5));
    Ruling::Remove(vec![(start..end, Class::Secret(S::PrivateKey))])
}

/// `sk-` also begins names of packages and of classes of style: a key has a digit, or is very long.
fn llm_key(_: &str, matched: &Captures<'_>) -> Ruling {
    let key = matched.get_match().as_str();
    if !key.starts_with("sk-") || key.bytes().any(|byte| byte.is_ascii_digit()) || key.len() > 40 {
        all(matched, S::LlmKey)
    } else {
        over(matched)
    }
}

fn bearer(_: &str, matched: &Captures<'_>) -> Ruling {
    let token = matched.get(1).map_or("", |token| token.as_str());
    let digits = token.bytes().any(|byte| byte.is_ascii_digit());
    if digits || token.len() >= 20 { part(matched, S::BearerToken) } else { over(matched) }
}

fn url_token(_: &str, matched: &Captures<'_>) -> Ruling {
    let user = matched.get(1).map_or("", |user| user.as_str());
    if looks_random(user) { part(matched, S::UrlCredentials) } else { over(matched) }
}

/// `curl -u name:password`, but not `docker run -u 1000:1000`.
fn user_and_password(_: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(user), Some(password)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    if [user, password].iter().all(|part| part.as_str().bytes().all(|byte| byte.is_ascii_digit())) {
        return over(matched);
    }
    Ruling::Remove(vec![(password.range(), Class::Secret(S::UrlCredentials))])
}

/// The rest of a header: to the end of its line or of the string that it stands in.
fn header(text: &str, matched: &Captures<'_>, kind: S) -> Ruling {
    let start = matched.get_match().end();
    let end = until(text, start, |c| matches!(c, '\r' | '\n' | '"' | '\'' | '\\'));
    let value = text[start..end].trim_end();
    if value.is_empty() || is_marker(value) {
        return over(matched);
    }
    Ruling::Remove(vec![(start..start + value.len(), Class::Secret(kind))])
}

/// `name = value` and `"name": "value"`, where the name says what the value is.
fn named(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), end) = (matched.get(1), matched.get_match().end()) else { return over(matched) };
    let Some(class) = classify(name.as_str()) else { return Ruling::PassOver(name.end()) };
    let assigned = matched.get_match().as_str().trim_end().ends_with(['=', '>']);
    let Some((range, quoted)) = value_at(text, end, assigned) else { return Ruling::PassOver(name.end()) };
    let value = &text[range.clone()];
    // In prose a colon is followed by words.
    let telling = quoted || assigned || looks_random(value);
    if !telling || is_nothing(value) {
        Ruling::PassOver(name.end())
    } else {
        Ruling::Remove(vec![(range, class)])
    }
}

/// `--password value`
fn flag(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), end) = (matched.get(1), matched.get_match().end()) else { return over(matched) };
    match (classify(name.as_str()), value_at(text, end, false)) {
        (Some(class), Some((range, _)))
            if !is_nothing(&text[range.clone()]) && !text[end..].starts_with('-') =>
        {
            Ruling::Remove(vec![(range, class)])
        }
        _ => Ruling::PassOver(name.end()),
    }
}

/// The value that begins there, and whether it is in quotes. In a query an `&` ends it.
fn value_at(text: &str, start: usize, query: bool) -> Option<(Range<usize>, bool)> {
    let rest = &text[start..];
    let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    let quote = rest[slashes..].chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'));
    if let Some(quote) = quote {
        let from = start + slashes + 1;
        if let Some(end) = closing(text, from, quote, slashes) {
            return (end > from).then_some((from..end, true));
        }
        // A string that does not close was cut: all that is left of its line is the value.
        let end = until(text, from, |c| matches!(c, '\r' | '\n'));
        return (end > from).then_some((from..end, true));
    }
    let ends = |c: char| {
        c.is_whitespace()
            || query && c == '&'
            || matches!(c, '"' | '\'' | '`' | ',' | ';' | '<' | '>' | ')' | '}' | ']' | '\\')
    };
    let mut end = until(text, start, ends);
    // What another detector has left of the value belongs to it.
    while let Some(marker) = marker_at(&text[end..]) {
        end = until(text, end + marker, ends);
    }
    (end > start).then_some((start..end, false))
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
fn until(text: &str, from: usize, ends: impl Fn(char) -> bool) -> usize {
    text[from..].find(ends).map_or(text.len(), |at| from + at)
}

/// A value that says that there is none, or where it is kept.
fn is_nothing(value: &str) -> bool {
    let plain = ["null", "none", "nil", "true", "false", "undefined", "required", "optional"];
    let reference = value.strip_prefix('$').map(|name| name.trim_matches(['{', '}', '(', ')']));
    value.is_empty()
        || is_marker(value)
        || plain.iter().any(|word| value.eq_ignore_ascii_case(word))
        || value.bytes().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X'))
        || reference.is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9'))
        })
}

/// A value that is no word of a sentence.
fn looks_random(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ':']);
    let (mut digit, mut inner_upper, mut other, mut lower) = (false, false, false, false);
    for (at, byte) in value.bytes().enumerate() {
        digit |= byte.is_ascii_digit();
        inner_upper |= at > 0 && byte.is_ascii_uppercase();
        lower |= byte.is_ascii_lowercase();
        other |= byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'/' | b'(' | b'.');
    }
    value.len() >= 6 && (digit || other || inner_upper && lower || value.len() >= 20)
}

fn email(text: &str, matched: &Captures<'_>) -> Ruling {
    let address = matched.get_match();
    // `git@github.com:owner/repository` names a repository.
    if address.as_str().starts_with("git@") && text[address.end()..].starts_with(':') {
        return over(matched);
    }
    Ruling::Remove(vec![(address.range(), Class::Pii(P::Email))])
}

fn iban(text: &str, matched: &Captures<'_>) -> Ruling {
    let start = matched.get_match().start();
    // The letters and digits after a wrong start may hold a right one.
    let over = Ruling::PassOver(start + 1);
    let bytes = &text.as_bytes()[start..matched.get_match().end()];
    let Some(length) = iban_length([bytes[0], bytes[1]]) else { return over };
    let mut compact = Vec::with_capacity(length);
    let mut end = start;
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte != b' ') {
        compact.push(*byte);
        end = start + at + 1;
        if compact.len() == length {
            break;
        }
    }
    let goes_on = text[end..].bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if compact.len() == length && !goes_on && mod_97(&compact) {
        return Ruling::Remove(vec![(start..end, Class::Pii(P::Iban))]);
    }
    over
}

/// Every card number in a run of digits: whole groups of it, of a length and range that issuers use.
fn cards(text: &str, matched: &Captures<'_>) -> Ruling {
    let run = matched.get_match();
    let before = text[..run.start()].as_bytes();
    let fraction = before.last() == Some(&b'.') && before.iter().rev().nth(1).is_some_and(u8::is_ascii_digit);
    if fraction {
        return over(matched);
    }
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, byte) in run.as_str().bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        let at = run.start() + at;
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
        let _ = byte;
    }
    let mut cards = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        match card_from(text, &groups[first..]) {
            Some(taken) => {
                cards.push((groups[first].start..groups[first + taken - 1].end, Class::Pii(P::CardNumber)));
                first += taken;
            }
            None => first += 1,
        }
    }
    if cards.is_empty() { over(matched) } else { Ruling::Remove(cards) }
}

/// How many of the groups, from the first on, make a card number.
fn card_from(text: &str, groups: &[Range<usize>]) -> Option<usize> {
    let mut digits = Vec::with_capacity(19);
    let mut longest = None;
    for (at, group) in groups.iter().enumerate() {
        digits.extend_from_slice(text[group.clone()].as_bytes());
        if digits.len() > 19 {
            break;
        }
        let quartered = at == 3 && digits.len() == 16 && groups[..4].iter().all(|group| group.len() == 4);
        if is_card(&digits) || quartered && super::checks::luhn(&digits) {
            longest = Some(at + 1);
        }
    }
    longest
}

fn ssn(text: &str, matched: &Captures<'_>) -> Ruling {
    let found = matched.get_match();
    let digits: Vec<u8> = found.as_str().bytes().filter(u8::is_ascii_digit).collect();
    let joined = |byte: Option<u8>| byte.is_some_and(|byte| matches!(byte, b'-' | b'.' | b'/'));
    let before = text[..found.start()].bytes().next_back();
    let after = text[found.end()..].bytes().next();
    let goes_on = after == Some(b'-') || after == Some(b'/');
    if is_ssn(&digits) && !joined(before) && !goes_on {
        return Ruling::Remove(vec![(found.range(), Class::Pii(P::Ssn))]);
    }
    over(matched)
}
