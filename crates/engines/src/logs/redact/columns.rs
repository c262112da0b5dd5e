//! Passwords in the column of a table whose head says so: of values with commas or tabs between them, of a page, of SQL.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    fields::classify,
    findings::Class,
    forms::is_argument,
    nothing::{is_mixed, looks_random},
    ruling::{Ruling, over},
    shapes::Judge,
};

/// Longer heads are none.
const MAX_HEAD: usize = 1_024;
/// A name of a column has no more words.
const MAX_WORDS: usize = 3;

/// Shapes and judges: they are applied last.
pub(super) const COLUMNS: &[(&str, Judge)] = &[
    (
        r#"(?i)(?:password|passwd|pwd|passphrase|passwort|kennwort|secret|token|api_?key)["'`* \t]*(?:[,;|\t][^\r\n]*)?\r?\n"#,
        table,
    ),
    (
        r"(?i)insert[ \t\r\n]+(?:ignore[ \t\r\n]+)?into[ \t\r\n]+[^\s(]+[ \t\r\n]*\(([^()]*)\)[ \t\r\n]*values[ \t\r\n]*",
        inserted,
    ),
];

/// The rows under the head of a table.
fn table(text: &str, matched: &Captures<'_>) -> Ruling {
    let found = matched.get_match();
    let start = text[..found.start()].rfind('\n').map_or(0, |at| at + 1);
    let head = text[start..found.end()].trim_end_matches(['\r', '\n']);
    if head.len() > MAX_HEAD {
        return over(matched);
    }
    let sign = if head.trim_start().starts_with('|') {
        Some('|')
    } else {
        head.chars().find(|c| "\t,;".contains(*c))
    };
    let Some(sign) = sign else { return over(matched) };
    let names: Vec<&str> = cells(head, sign).map(|cell| &head[cell]).collect();
    let plain = |name: &&str| {
        name.starts_with(char::is_alphabetic)
            && name.split_whitespace().count() <= MAX_WORDS
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | '#'))
    };
    // In prose a blank stands behind a comma.
    if names.len() < 2 || !names.iter().all(plain) || sign != '|' && sign != '\t' && head.contains(", ") {
        return over(matched);
    }
    let classes: Vec<Option<Class>> = names.iter().map(|name| classify(name)).collect();
    // Lists of names and versions look like rows. Where a text begins with such a line, it is a head.
    let before = &text[..start];
    let begins =
        sign != '|' && (before.trim().is_empty() || before.ends_with("\n\n") || before.ends_with("```\n"));
    let (mut parts, mut at) = (Vec::new(), found.end());
    for line in text[at..].split_inclusive('\n') {
        let row = line.trim_end_matches(['\r', '\n']);
        let columns: Vec<Range<usize>> = cells(row, sign).collect();
        if columns.len() != classes.len() {
            break;
        }
        for (cell, class) in columns.into_iter().zip(&classes) {
            let value = &row[cell.clone()];
            if let Some(class) = class.filter(|class| is_cell(*class, value, begins)) {
                parts.push((at + cell.start..at + cell.end, class));
            }
        }
        at += line.len();
    }
    if parts.is_empty() { Ruling::PassOver(at) } else { Ruling::Remove(parts) }
}

/// Where the cells of a line are, without what is drawn around them. Quotes do not hold a sign back: such a line has other columns
/// than its head.
fn cells(line: &str, sign: char) -> impl Iterator<Item = Range<usize>> {
    let around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '*');
    let trimmed = line.trim();
    let from = line.len() - line.trim_start().len();
    let inner = if sign == '|' { trimmed.trim_start_matches('|') } else { trimmed };
    let mut at = from + trimmed.len() - inner.len();
    let inner = if sign == '|' { inner.trim_end_matches('|') } else { inner };
    inner.split(sign).map(move |cell| {
        let start = at + (cell.len() - cell.trim_start_matches(around).len());
        at += cell.len() + sign.len_utf8();
        start..start + cell.trim_matches(around).len()
    })
}

/// Whether a cell of such a column holds one; any word may be one where the column is `sure`. A table of a page as often tells what
/// there is of it.
fn is_cell(class: Class, value: &str, sure: bool) -> bool {
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let telling = match class {
        Class::Secret(S::Password) => sure || looks_random(value) && letters && !value.contains(['(', '/']),
        _ => is_mixed(value),
    };
    telling && is_argument(value)
}

/// `INSERT INTO users (name, password) VALUES ('bob', '..'), (..)`
fn inserted(text: &str, matched: &Captures<'_>) -> Ruling {
    let whole = matched.get_match();
    let names = matched.get(1).map_or("", |names| names.as_str());
    let classes: Vec<Option<Class>> = names.split(',').map(classify).collect();
    if classes.iter().all(Option::is_none) {
        return over(matched);
    }
    let (mut parts, mut at) = (Vec::new(), whole.end());
    while let Some(row) = text[at..].strip_prefix('(') {
        let start = text.len() - row.len();
        let (row, end) = quoted(text, start);
        if row.len() == classes.len() {
            for (value, class) in row.into_iter().zip(&classes) {
                let is_one = |class: &Class| {
                    let telling = *class == Class::Secret(S::Password) || is_mixed(&text[value.clone()]);
                    telling && is_argument(&text[value.clone()])
                };
                if let Some(class) = class.filter(is_one) {
                    parts.push((value, class));
                }
            }
        }
        at = end;
        let Some(next) = text[at..].trim_start().strip_prefix(',') else { break };
        at = text.len() - next.trim_start().len();
    }
    if parts.is_empty() { Ruling::PassOver(at) } else { Ruling::Remove(parts) }
}

/// What is in quotes of each value up to the bracket that closes, or nothing of it; and where it goes on.
fn quoted(text: &str, start: usize) -> (Vec<Range<usize>>, usize) {
    let (mut all, mut own, mut open, mut depth) = (Vec::new(), start..start, None, 0_usize);
    for (at, letter) in text[start..].char_indices() {
        let at = start + at;
        match (open, letter) {
            (Some((quote, from)), _) if letter == quote => {
                own = if depth == 0 { from..at } else { own };
                open = None;
            }
            (None, '\'' | '"') => open = Some((letter, at + 1)),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => {
                all.push(own);
                return (all, at + 1);
            }
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                all.push(own);
                own = at..at;
            }
            _ => {}
        }
    }
    (Vec::new(), text.len())
}
