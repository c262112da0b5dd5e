//! More passwords that are known by their place: behind the name of a variable in a call, as what code takes where
//! nothing is set, in settings of two lines, in sentences. As in `forms`, each shape has what tells it from what only
//! looks alike.

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    commands::is_password,
    fields::classify,
    findings::Class,
    forms::{called, is_argument, placed, random, second, strong},
    nothing::{is_dense, is_mixed, is_strong, looks_random, names_one},
    ruling::{Judge, Ruling, over},
    values::argument_at,
};

/// So far before a sentence's password its first letter is looked for.
const MAX_WORD: usize = 256;
/// So many items of a list are looked at.
const MAX_LISTED: usize = 64;

/// Shapes and judges: they are applied behind those of `forms`.
pub(super) const PLACES: &[(&str, Judge)] = &[
    // A line of `.pgpass`.
    (r#":(?:[0-9]{4,5}|\*):[A-Za-z_*][^\s:'"<]*:[A-Za-z_][^\s:'"<]*:([^\s:'"<]+)"#, random),
    // SQL.
    (r#"(?i)(?m:^)[ \t]*conn(?:ect)?[ \t]+[a-z0-9_$#]+/["']?([^\s"'@/<]+)["']?@"#, random),
    (r"(?i)(?-u:\b)password[ \t]*(?:=[ \t]*)?\$[a-z_]*\$([^\s$<]+)\$", placed),
    (r"(?i)(?-u:\b)(?&secret)[ \t]+(?:not[ \t]+)?(?:i?like|in[ \t]*\()[ \t]*[ne]?(')", listed),
    (r"(?i)(?-u:\b)crypt\([ \t]*(')[^'\r\n]*'[ \t]*,[ \t]*gen_salt", second),
    (r"(?i)pgp_sym_(?:en|de)crypt\((?:[^,()'\r\n]*|[ \t]*'[^'\r\n]*'[ \t]*),[ \t]*(')", second),
    (r#"(?i)'([^'\s<>]+)'[ \t]*\)?[ \t]+as[ \t]+["`\[]?[a-z_]*(?:password|passwd|pwd)"#, random),
    // Calls.
    (r#"(?i)\.(?:log_?in|sign_?in|authenticate)\([ \t]*[a-z_.]+[ \t]*,[ \t]*[bru]?(\\*["'])"#, strong_second),
    (
        concat!(
            r#"(?i)(?-u:\b)(?:mysqli|pdo|getconnection|dbi->connect|mysqli?_connect)\([^,()\r\n]*,"#,
            r#"[ \t]*\\*["'][^"'\r\n]*["'][ \t]*,[ \t]*(\\*["'])"#,
        ),
        second,
    ),
    (
        concat!(
            r"(?i)(?-u:\b)(?:getenv|environ\.get|env\.fetch|env|define|set_var)\([ \t]*",
            r#"\\*["'](?&secret)\\*["'][ \t]*,[ \t]*(\\*["'])"#,
        ),
        called,
    ),
    (r#"(?i)[(\[,][ \t]*\\*["'](?&secret)\\*["'][ \t]*,[ \t]*[bru]?(\\*["'])"#, paired),
    // Code: what is taken where nothing is set, and the second of two parts.
    (
        concat!(
            r"(?i)(?-u:\b)(?&secret)",
            r#"[ \t]*:?[:=][ \t]*(?:[a-z_$][0-9a-z_.$]*(?:\([^()=:\r\n]*\)|\[[^\[\]=:\r\n]*\])?|\\*["'][^"'=\r\n]*["']|<REDACTED:[A-Z_]+>)"#,
            r#"[ \t]*(?:\?\??|\|\||\+|or)[ \t]*(\\*["'`])"#,
        ),
        fallback,
    ),
    (r#"(?i)(?-u:\b)variable[ \t]+"(?&secret)"[ \t]*\{[^{}]*?default[ \t]*=[ \t]*(")"#, called),
    // Settings: `- name: DB_PASSWORD`, and `value: ..` behind it; a row of a table.
    (
        concat!(
            r#"(?i)(?-u:\b)(?:name|key)\\*["']?[ \t]*:[ \t]*\\*["']?(?&secret)"#,
            r#"\\*["']?(?:[ \t]*,|[ \t]*(?:#[^\r\n]*)?\r?\n(?:[ \t]*#[^\r\n]*\r?\n)?)[ \t]*\\*["']?value\\*["']?[ \t]*:[ \t]*"#,
        ),
        valued,
    ),
    (r"(?i)\|[ \t]*[*`]*(?&secret)[*`]*[ \t]*\|[ \t]*[*`]*([^\s|`*<]+)[*`]*[ \t]*\|", row),
    // The same as psql draws a row by itself.
    (r"(?i)(?m:^)[ \t]*(?&secret)[ \t]+\|[ \t]+([^\s|<]+)[ \t]*\r?(?m:$)", row),
    // Sentences.
    (
        concat!(
            r"(?i)(?&password)",
            r"(?:'s|[ \t]+(?:(?:is[ \t]+)?now|was|(?:(?:set|changed|reset)[ \t]+)?(?:to|as)|est|es|\x{e8}|->|[\-\x{2013}\x{2014}\x{2192}])",
            r"|[ \t]+(?:\([^()\r\n]*\)|\[[^\[\]\r\n]*\])[ \t]*[:=]|[ \t]*:)",
            r#"[ \t]+["'`]?([^\s"'`<>]{6,})"#,
        ),
        dense,
    ),
    // Alone on the line behind.
    (
        r#"(?i)(?&password)[ \t]*:[ \t]*\r?\n[ \t]*(?:\r?\n[ \t]*)?[`*]*([^\s"'`<>:*]{6,})[`*]*[ \t]*\r?(?m:$)"#,
        dense,
    ),
    (
        concat!(
            r"(?i)[ \t](?:is|as)[ \t]+(?:(?:the|my|your|our|his|her)[ \t]+)?(?:(?:new|old|admin|root|temporary)[ \t]+)?",
            r"(?:password|passphrase|passwort)(?-u:\b)",
        ),
        before,
    ),
];

/// What is strong or dense.
fn dense(text: &str, matched: &Captures<'_>) -> Ruling {
    let value = matched.get(1).map_or("", |value| value.as_str());
    if is_dense(value) { placed(text, matched) } else { strong(text, matched) }
}

/// The strings of a list that a name is compared with: `password IN ('a', 'b')`.
fn listed(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), Some(quote)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    let Some(class) = classify(name.as_str()) else { return Ruling::PassOver(name.end()) };
    let (mut found, mut at) = (Vec::new(), quote.start());
    for _ in 0..MAX_LISTED {
        let Some((range, true)) = argument_at(text, at) else { break };
        let value = &text[range.clone()];
        at = range.end;
        if is_argument(value) && tells(class, value) {
            found.push((range, class));
        }
        let Some(next) = text[at..].strip_prefix('\'').and_then(|rest| rest.trim_start().strip_prefix(','))
        else {
            break;
        };
        at = text.len() - next.trim_start().len();
    }
    if found.is_empty() { Ruling::PassOver(at.max(name.end())) } else { Ruling::Remove(found) }
}

/// Whether a value of that class is none of the words that code and tables have in its place.
fn tells(class: Class, value: &str) -> bool {
    let telling = if class == Class::Secret(S::Password) { looks_random(value) } else { is_mixed(value) };
    telling && !value.contains(['(', '/', '{', '\\']) && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The second argument of a call whose first one is an expression.
fn strong_second(text: &str, matched: &Captures<'_>) -> Ruling {
    let value = matched.get(1).and_then(|quote| argument_at(text, quote.start()));
    match value {
        Some((range, true)) => {
            let value = &text[range.clone()];
            if (is_strong(value) || is_dense(value)) && is_argument(value) {
                Ruling::Remove(vec![(range, Class::Secret(S::Password))])
            } else {
                over(matched)
            }
        }
        _ => over(matched),
    }
}

/// The string in quotes behind the name in quotes: `setItem('password', '..')`, `["password", ".."]`; but not the next
/// name of a list.
fn paired(text: &str, matched: &Captures<'_>) -> Ruling {
    beside(text, matched, |_, value| is_strong(value))
}

/// `password = env.PASSWORD || '..'`
fn fallback(text: &str, matched: &Captures<'_>) -> Ruling {
    beside(text, matched, tells)
}

fn beside(text: &str, matched: &Captures<'_>, telling: impl Fn(Class, &str) -> bool) -> Ruling {
    let (Some(name), Some(quote)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    match (classify(name.as_str()), argument_at(text, quote.start())) {
        (Some(class), Some((range, _)))
            if is_argument(&text[range.clone()]) && telling(class, &text[range.clone()]) =>
        {
            Ruling::Remove(vec![(range, class)])
        }
        _ => Ruling::PassOver(name.end()),
    }
}

/// `value: ..` behind `name: DB_PASSWORD`: one word that fills its place.
fn valued(text: &str, matched: &Captures<'_>) -> Ruling {
    let whole = matched.get_match();
    let class = matched.get(1).and_then(|name| classify(name.as_str()));
    let (Some(class), Some((range, quoted))) = (class, argument_at(text, whole.end())) else {
        return over(matched);
    };
    let value = &text[range.clone()];
    let rest = text[range.end..].trim_start_matches([' ', '\t']);
    let alone = quoted || rest.is_empty() || rest.starts_with(['\r', '\n', '}', ',']);
    let telling = class == Class::Secret(S::Password) || looks_random(value);
    if !alone || !telling || !is_argument(value) || value.starts_with('$') {
        return over(matched);
    }
    Ruling::Remove(vec![(range, class)])
}

/// `| password | .. |`
pub(super) fn row(_: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), Some(value)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    match classify(name.as_str()) {
        Some(class) if tells(class, value.as_str()) && is_argument(value.as_str()) => {
            Ruling::Remove(vec![(value.range(), class)])
        }
        _ => Ruling::PassOver(name.end()),
    }
}

/// The word before: `.. is my password`, `use .. as the password`.
fn before(text: &str, matched: &Captures<'_>) -> Ruling {
    let end = matched.get_match().start();
    let quotes = ['"', '\'', '`'];
    let bare = text[..end].trim_end_matches(quotes);
    let word = bare.rsplit(|c: char| c.is_whitespace() || quotes.contains(&c)).next().unwrap_or_default();
    // `1Password is my password manager`
    let rest = text[matched.get_match().end()..].trim_start();
    let is_over = rest.is_empty() || rest.starts_with(['.', ',', ';', '!', ')']);
    let of_whom = ["for ", "of ", "on ", "to "].iter().any(|word| rest.starts_with(word));
    let telling = is_strong(word) || (is_over || of_whom) && is_dense(word);
    if word.len() > MAX_WORD || !telling || !is_password(word) || names_one(word) {
        return over(matched);
    }
    Ruling::Remove(vec![(bare.len() - word.len()..bare.len(), Class::Secret(S::Password))])
}
