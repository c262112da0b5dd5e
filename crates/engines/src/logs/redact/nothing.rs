//! Values that are none, although they stand where a secret would: words that say how it is or of what type, references
//! to where it is kept, folders, expressions of code, prose. What is redacted without need is evidence that is lost.

use super::{
    fields::{classify, words},
    findings::is_marker,
};

/// What says that there is none, or of what type it is.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "null", "none", "nil", "true", "false", "undefined", "required", "optional", "nullable", "string", "str", "text", "int",
    "number", "bool", "boolean", "any", "object", "!vault", "!ref", "!sub", "!env", "!secret", "!getatt",
];

/// What says how one is.
#[rustfmt::skip]
const STATES: &[&str] = &[
    "absent", "changed", "denied", "disabled", "empty", "enabled", "expired", "hashed", "hidden", "incorrect", "inherit",
    "invalid", "masked", "missing", "needed", "redacted", "rejected", "removed", "reset", "revoked", "rotated", "unavailable",
    "unset", "updated", "wrong",
];

/// What a sentence says of one, and what as a value may be one.
#[rustfmt::skip]
const SAID: &[&str] = &[
    "better", "broken", "common", "complex", "confidential", "correct", "different", "easy", "fine", "gone", "good",
    "here", "insecure", "known", "long", "lost", "mandatory", "new", "ok", "old", "present", "private", "public",
    "random", "ready", "safe", "same", "secure", "set", "short", "simple", "stale", "strong", "stuck", "unchanged",
    "unique", "unknown", "valid", "visible", "weak",
];

/// Words that a sentence has, and a passphrase seldom.
#[rustfmt::skip]
const OF_SENTENCES: &[&str] = &[
    "a", "an", "and", "are", "at", "be", "can", "for", "from", "in", "is", "it", "must", "not", "of", "on", "or", "should",
    "that", "the", "this", "to", "was", "when", "which", "will", "with", "your",
];

/// What holds settings or arguments in code.
#[rustfmt::skip]
const SOURCES: &[&str] = &[
    "app", "args", "arguments", "body", "cfg", "cli", "cls", "conf", "config", "context", "ctx", "data", "env", "environ",
    "event", "form", "import", "input", "lexer", "local", "module", "op", "options", "opts", "os", "parser", "payload", "process",
    "props", "req", "request", "secrets", "self", "settings", "state", "this", "var", "vault",
];

/// What code puts before an expression.
const KEYWORDS: &[&str] = &["async", "await", "function", "lambda", "new", "typeof", "yield"];

/// What stands before what an `Authorization` is.
pub(super) const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate", "token", "apikey"];

/// What is longer stands for no secret: it is one, or has one in it. To judge it would be to read it anew for each name
/// in it.
pub(super) const MAX_STANDIN: usize = 512;
/// Longer folders are none.
const MAX_PLACE: usize = 1_024;

/// A value that says that there is none, how or of what type it is, or where it is kept.
pub(super) fn is_nothing(value: &str) -> bool {
    value.len() <= MAX_STANDIN && is_standin(value)
}

fn is_standin(value: &str) -> bool {
    value.is_empty()
        || is_marker(value)
        || is_one_of(value, TYPES)
        || is_one_of(value, STATES)
        || value.bytes().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X'))
        // What an expression ends with, behind a prompt in quotes: `input("Password: ")`.
        || value.bytes().all(|byte| b")]},;".contains(&byte))
        || is_rule(value)
        || is_placeholder(value)
        || is_reference(value)
        || is_way_to_one(value)
}

/// A scheme with nothing of its own behind it: `Bearer {token}`, and the `Bearer ` that code puts before a token.
pub(super) fn is_way_to_one(value: &str) -> bool {
    value.split_once([' ', '\t']).is_some_and(|(scheme, rest)| {
        let rest = rest.trim();
        is_one_of(scheme, SCHEMES) && (rest.is_empty() || stands_for_one(rest))
    })
}

/// Whether a value is put in its place where any other may be one: `${X}`, `{token}`, and a `$PASS` that has the name
/// of one.
pub(super) fn stands_for_one(value: &str) -> bool {
    if value.len() > MAX_STANDIN {
        return false;
    }
    match value.strip_prefix('$').filter(|name| !name.starts_with(['{', '('])) {
        Some(name) => names_one(name),
        None => value.starts_with(['$', '{', '%']) && is_reference(value),
    }
}

/// What stands behind `is` and says something of a secret: `the token is expired`.
pub(super) fn is_said(value: &str) -> bool {
    is_one_of(value, SAID) || value.bytes().all(|byte| byte.is_ascii_lowercase()) && value.ends_with("ed")
}

fn is_one_of(value: &str, known: &[&str]) -> bool {
    let value = value.trim_end_matches(['.', '!']);
    known.iter().any(|known| value.eq_ignore_ascii_case(known))
}

/// How a form checks it: `required|min:8`.
fn is_rule(value: &str) -> bool {
    let first = value.split_once('|').map(|(first, _)| first);
    first.is_some_and(|first| ["required", "optional", "nullable", "sometimes"].contains(&first))
}

/// What a manual has in its place: `<your password>`, `YOUR_API_KEY`.
fn is_placeholder(value: &str) -> bool {
    let plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_digit());
    let between = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_yours = value
        .get(..5)
        .is_some_and(|your| ["your-", "your_", "your "].iter().any(|known| your.eq_ignore_ascii_case(known)));
    let is_told =
        between.is_some_and(|inner| inner.bytes().all(|b| b.is_ascii_alphabetic() || b" _-".contains(&b)));
    is_told || is_yours && plain(value)
}

/// What is put in its place: `$PASS`, `${db.password}`, `{{ password }}`, `$(cat file)`, `%s`, `@password`.
fn is_reference(value: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
    let variable = value.strip_prefix('$').map(|name| name.trim_matches(['{', '}', '(', ')']));
    let within = |open: &str, close: &str| value.starts_with(open) && value.ends_with(close);
    variable.is_some_and(|name| !name.is_empty() && name.bytes().all(upper) || names_one(name))
        || value.strip_prefix(['@', ':']).is_some_and(names_one)
        || value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(is_path_of_names)
        || matches!(value, "%s" | "?" | "{}")
        || within("$(", ")")
        || (within("{{", "}}") || within("${{", "}}")) && !value.split_whitespace().any(is_mixed)
}

/// Whether it is a name of a secret, or a path of names to one: `settings.DB_PASSWORD`. With a digit it is one that
/// people choose for themselves: `Password1`.
pub(super) fn names_one(path: &str) -> bool {
    let is_one = |last: &str| !last.bytes().any(|byte| byte.is_ascii_digit()) && classify(last).is_some();
    is_path_of_names(path) && path.rsplit('.').next().is_some_and(is_one)
}

fn is_path_of_names(path: &str) -> bool {
    path.split('.').all(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !is_mixed(name)
    })
}

/// Whether a value without quotes is an expression of code. `colon` if it stands behind one, as a type does; `spaced`
/// if blanks stand before it.
pub(super) fn is_code(value: &str, colon: bool, spaced: bool) -> bool {
    let first = value.split('.').next().unwrap_or_default();
    let is_path = value.contains('.') && is_path_of_names(value);
    let plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_digit());
    value.starts_with([':', '[', '{', '(', '|'])
        || value.contains("::")
        || value.contains('(')
        || value
            .split_once('[')
            .is_some_and(|(list, which)| is_path_of_names(list) && (which.is_empty() || spaced))
        || is_path && (SOURCES.contains(&first) || names_one(value))
        // `random_password.db.result`
        || is_path && spaced && !colon && words(first).len() > 1 && names_one(first) && plain(value)
        || colon && value.strip_prefix('&').is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphabetic()))
        || spaced && !colon && (KEYWORDS.contains(&value) || words(value).len() > 1 && names_one(value))
}

/// The folder or the file that a text begins with: `/srv/app`, `~/work`, `C:\Users\bob`.
pub(super) fn place(text: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '<' | ')');
    // Where it ends is not looked for in all of a text, for each name in it.
    let near = &text[..text.floor_char_boundary(MAX_PLACE)];
    let end = near.find(ends).or((near.len() == text.len()).then_some(text.len()))?;
    let place = &text[..end];
    let bytes = place.as_bytes();
    // Who decodes escapes leaves no backslash behind the drive.
    let on_drive = matches!(bytes, [b'A'..=b'Z', b':', b'/' | b'\\' | b'A'..=b'Z', ..]);
    let rest = if on_drive { place.get(2..) } else { place.strip_prefix("~/").or(place.strip_prefix('/')) };
    let rest = rest?;
    let mut parts = rest.trim_end_matches(['/', '\\']).split(['/', '\\']).filter(|part| !part.is_empty());
    let plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte)) && !is_mixed(part)
    };
    let is_root = |root: &str| root.len() > 1 && root.bytes().all(|byte| byte.is_ascii_alphabetic());
    let rooted = rest.is_empty() || on_drive || place.starts_with('~');
    (parts.clone().all(plain) && (rooted || parts.next().is_some_and(is_root))).then_some(place)
}

/// Whether it is a sentence: some words, one of them as sentences have them, and none that is no word.
pub(super) fn is_prose(value: &str) -> bool {
    let mut words = value.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.clone().count() >= 4
        && words.clone().any(|word| OF_SENTENCES.iter().any(|known| word.eq_ignore_ascii_case(known)))
        && !words.any(is_no_word)
}

fn is_no_word(word: &str) -> bool {
    let (digits, letters) =
        (word.bytes().any(|b| b.is_ascii_digit()), word.bytes().any(|b| b.is_ascii_alphabetic()));
    digits && letters || looks_random(word)
}

/// Whether what an item of a list says is the name of the next one, and not what is done with a secret:
/// `reset a password`.
pub(super) fn is_name_of_item(item: &str) -> bool {
    const NO_NAME: &[&str] = &[
        "a",
        "an",
        "change",
        "changed",
        "changing",
        "forgot",
        "forgotten",
        "how",
        "invalid",
        "is",
        "missing",
        "no",
        "not",
        "required",
        "reset",
        "resetting",
        "to",
        "was",
        "wrong",
    ];
    !item.trim().contains(' ') || !words(item).iter().any(|word| NO_NAME.contains(&word.as_str()))
}

/// Letters and digits in turns, as no word has them: not `utf8mb4` or `BigInt64Array`, but `Zx9QwErTy7`.
pub(super) fn is_mixed(value: &str) -> bool {
    let bytes = value.as_bytes();
    let turns = bytes.windows(2).filter(|pair| {
        pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic()
            || pair[0].is_ascii_alphabetic() && pair[1].is_ascii_digit()
    });
    let turns = turns.count();
    bytes.len() >= 8 && turns >= 3 || bytes.len() >= 16 && turns >= 2
}

/// Whether no word, number, date or path is like it: letters and digits in turns, or both with a sign that they seldom
/// have.
pub(super) fn is_strong(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
    let has = |known: fn(&u8) -> bool| value.as_bytes().iter().any(known);
    let signed = has(|byte| b"!#$^*~@".contains(byte));
    let both = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    !value.contains('/') && (is_mixed(value) || value.len() >= 8 && signed && both)
}

/// Whether it has capitals, other letters and digits, as passwords of people have, and names of methods and versions
/// seldom do: `Summer2026`.
pub(super) fn is_dense(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', ';', '!', '?']);
    let has = |known: fn(&u8) -> bool| value.as_bytes().iter().any(known);
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    mixed && value.len() >= 8 && !value.contains(['/', '-', '(', '.', ':'])
}

/// A value that is no word of a sentence.
pub(super) fn looks_random(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ':']);
    let (mut digit, mut inner_upper, mut other, mut lower) = (false, false, false, false);
    for (at, byte) in value.bytes().enumerate() {
        digit |= byte.is_ascii_digit();
        inner_upper |= at > 0 && byte.is_ascii_uppercase();
        lower |= byte.is_ascii_lowercase();
        other |=
            matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+' | b'=' | b'?' | b'@' | b'^' | b'~');
    }
    value.len() >= 6 && (digit || other || inner_upper && lower || value.len() >= 20)
}
