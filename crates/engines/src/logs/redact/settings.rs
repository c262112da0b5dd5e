//! Names and values as files of settings, headers and addresses have them where `values` does not see a pair: turned
//! around, with something between them, without a scheme.

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    fields::classify,
    findings::Class,
    forms::{is_argument, placed, random},
    nothing::{is_mixed, looks_random},
    places::row,
    ruling::{Judge, Ruling, over},
    users::user_and_password,
};

/// Shapes and judges: they are applied behind those of `places`.
pub(super) const SETTINGS: &[(&str, Judge)] = &[
    // `- value: ..`, and `name: DB_PASSWORD` behind it.
    (
        concat!(
            r#"(?i)(?-u:\b)value\\*["']?[ \t]*:[ \t]*\\*["']?([^\s"'\\<$][^\s"'\\<]*)\\*["']?[ \t]*,?[ \t]*\r?\n[ \t]*"#,
            r#"(?:#[^\r\n]*\r?\n[ \t]*)?\\*["']?(?:name|key)\\*["']?[ \t]*:[ \t]*\\*["']?(?&secret)\\*["']?[ \t]*(?:[,}]|\r?(?m:$))"#,
        ),
        turned,
    ),
    // `name=DB_PASSWORD value=..`
    (
        concat!(
            r#"(?i)(?-u:\b)(?:name|key|var)=\\*["']?(?&secret)\\*["']?[ \t,;]+"#,
            r#"val(?:ue)?=\\*["']?([^\s"'\\<>,;]+)"#,
        ),
        row,
    ),
    // `password: !!str ..`, `password: &anchor ..`
    (
        r#"(?i)(?-u:\b)(?&secret)\\*["']?[ \t]*:[ \t]+(?:!!(?:str|binary)|&[0-9a-z_\-]+)[ \t]+\\*["']?([^\s"'\\<|>]+)"#,
        tagged,
    ),
    (r#"(?i)(?-u:\b)digest[ \t]+[^\r\n]*?(?-u:\b)response=\\*["']?([0-9A-Za-z+/=]{8,})"#, |_, m| {
        part(m, S::Authorization)
    }),
    (r#"(?i)document\.cookie[ \t]*\+?=[ \t]*\\*["'`][^\s"'`\\=;]+=([^\s"'`\\;<]+)"#, cookie),
    // Addresses without a scheme.
    (r#"(?:^|[\s"'`=(])//[^\s/?#:@"'<>]+:([^\s/?#@"'<>]+)@[A-Za-z0-9.:\[\]\-]+/"#, placed),
    (
        concat!(
            r#"(?:^|[\s"'`=(])[A-Za-z0-9_.\-]+:([^\s:/@"'<>]+)@[A-Za-z0-9.\-]+"#,
            r":(?:5432|6432|3306|6379|27017|1433|1521|5672|9042|9200)(?-u:\b)",
        ),
        random,
    ),
    (r#"(?:^|[\s"'`=(])[A-Za-z0-9_.\-]+:([^\s:/@"'<>]+)@(?:tcp|unix)\("#, placed),
    // A command that goes on in the next line behind its flag.
    (
        concat!(
            r"(?:^|\s)(?:-[fikLsSv]{0,4}u|--user|--proxy-user)[ \t]*\\\r?\n[ \t]*",
            r#"["']?([^\s:"'<>]+):([^\s"'<>]+)"#,
        ),
        user_and_password,
    ),
];

fn part(matched: &Captures<'_>, kind: S) -> Ruling {
    let part = matched.get(1).unwrap_or_else(|| matched.get_match());
    Ruling::Remove(vec![(part.range(), Class::Secret(kind))])
}

/// The value before its name. What is no password has to look like a secret.
fn turned(_: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(value), Some(name)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    match classify(name.as_str()) {
        Some(class) if is_told(class, value.as_str(), true) => Ruling::Remove(vec![(value.range(), class)]),
        // What is the value of this one may be followed by the name of the next.
        _ => Ruling::PassOver(value.end()),
    }
}

/// The value behind a tag or an anchor. What code has behind a `&` is a type.
fn tagged(text: &str, matched: &Captures<'_>) -> Ruling {
    let (Some(name), Some(value)) = (matched.get(1), matched.get(2)) else { return over(matched) };
    let sure = text[name.end()..value.start()].contains("!!");
    match classify(name.as_str()) {
        Some(class) if is_told(class, value.as_str(), sure) => Ruling::Remove(vec![(value.range(), class)]),
        _ => Ruling::PassOver(name.end()),
    }
}

/// Whether it is a value of that class; any word may be a password where that is `sure`.
fn is_told(class: Class, value: &str, sure: bool) -> bool {
    (sure && class == Class::Secret(S::Password) || is_mixed(value)) && is_argument(value)
}

/// `document.cookie = "sid=.."`, but not `"theme=dark"`.
fn cookie(_: &str, matched: &Captures<'_>) -> Ruling {
    let value = matched.get(1).map_or("", |value| value.as_str());
    if looks_random(value) && is_argument(value) && !value.starts_with('$') {
        part(matched, S::Cookie)
    } else {
        over(matched)
    }
}
