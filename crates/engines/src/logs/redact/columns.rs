//! Passwords in the column of a table whose head says so: of values with commas or tabs between them, of a page, of
//! SQL.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    fields::classify,
    findings::Class,
    forms::is_argument,
    nothing::{is_mixed, looks_random, place},
    ruling::{Judge, Ruling, over},
    values::{is_count, is_verdict},
};

/// Longer heads are none, and so far into a text one may be what it begins with.
pub(super) const MAX_HEAD: usize = 1_024;
/// A name of a column has no more words.
const MAX_WORDS: usize = 3;
/// Tables of more columns are none.
pub(super) const MAX_COLUMNS: usize = 128;
/// So many lines in a row may have other columns than their head.
pub(super) const MAX_STRAYS: usize = 3;
/// A longer number is more than how many there are.
const MAX_COUNT: usize = 5;
/// Brackets in the values of a row are nested no deeper.
const MAX_NESTED: usize = 16;

/// What a line of code begins with that reads as a head does: `SELECT name,password`.
#[rustfmt::skip]
const OF_CODE: &[&str] = &[
    "await", "const", "def", "export", "fn", "for", "from", "func", "import", "let", "return", "select", "use", "var", "with",
];

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
    let names: Vec<&str> = cells(head, sign, MAX_COLUMNS).into_iter().map(|cell| &head[cell]).collect();
    if !(2..=MAX_COLUMNS).contains(&names.len()) || !names.iter().all(|name| is_plain(name)) {
        return over(matched);
    }
    // In prose a blank stands behind a comma.
    if sign != '|' && (sign != '\t' && head.contains(", ") || is_of_code(names[0])) {
        return over(matched);
    }
    let classes: Vec<Option<Class>> = names.iter().map(|name| classify(name)).collect();
    // Lists of names and versions look like rows. Where a text begins with such a line, it is a head. What is before is
    // not read anew for each head.
    let before = &text[..start];
    let is_first = || start <= MAX_HEAD && before.trim().is_empty();
    let begins = sign != '|' && (is_first() || before.ends_with("\n\n") || before.ends_with("```\n"));
    let (mut parts, mut at, mut strays) = (Vec::new(), found.end(), 0);
    let mut behind = at;
    for line in text[at..].split_inclusive('\n') {
        let row = line.trim_end_matches(['\r', '\n']);
        let columns = cells(row, sign, classes.len());
        if columns.len() == classes.len() {
            strays = 0;
            for (cell, class) in columns.into_iter().zip(&classes) {
                let value = &row[cell.clone()];
                if let Some(class) = class.filter(|class| is_cell(*class, value, begins)) {
                    parts.push((at + cell.start..at + cell.end, class));
                }
            }
            behind = at + line.len();
        } else {
            strays += 1;
            if strays > MAX_STRAYS || row.trim().is_empty() {
                break;
            }
        }
        at += line.len();
    }
    if parts.is_empty() { Ruling::PassOver(behind) } else { Ruling::Remove(parts) }
}

/// Whether it is what a column is called.
pub(super) fn is_plain(name: &str) -> bool {
    name.starts_with(char::is_alphabetic)
        && name.split_whitespace().count() <= MAX_WORDS
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | '#'))
}

/// Whether the first of several names is one that a statement goes on with.
fn is_of_code(first: &str) -> bool {
    first
        .split_once(' ')
        .is_some_and(|(verb, _)| OF_CODE.iter().any(|known| verb.eq_ignore_ascii_case(known)))
}

/// Where the cells of a line are, without what is drawn around them; one more than `most` says that there are too many.
fn cells(line: &str, sign: char, most: usize) -> Vec<Range<usize>> {
    let around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '*');
    let trimmed = line.trim();
    let mut at = line.len() - line.trim_start().len();
    let mut end = at + trimmed.len();
    if sign == '|' {
        at += trimmed.len() - trimmed.trim_start_matches('|').len();
        end = at + line[at..end].trim_end_matches('|').len();
    }
    let mut all = Vec::new();
    while at <= end && all.len() <= most {
        let rest = &line[at..end];
        let length = quoted_cell(rest, sign).or_else(|| rest.find(sign)).unwrap_or(rest.len());
        let cell = &rest[..length];
        let start = at + (length - cell.trim_start_matches(around).len());
        all.push(start..start + cell.trim_matches(around).len());
        at += length + sign.len_utf8();
    }
    all
}

/// How long the cell is that a line goes on with, if it is in quotes: they hold a sign back, `"Doe, Jane"`.
fn quoted_cell(rest: &str, sign: char) -> Option<usize> {
    let inner = rest.trim_start_matches(' ').strip_prefix('"').filter(|_| sign != '|')?;
    let mut at = 0;
    loop {
        at += inner[at..].find('"')? + 1;
        // Two of them stand for one.
        if !inner[at..].starts_with('"') {
            break;
        }
        at += 1;
    }
    let behind = inner[at..].trim_start_matches(' ');
    (behind.is_empty() || behind.starts_with(sign)).then(|| rest.len() - behind.len())
}

/// Whether a cell of such a column holds one; any word may be one where the column is `sure`. A table of a page as
/// often tells what there is of it.
pub(super) fn is_cell(class: Class, value: &str, sure: bool) -> bool {
    let letters = || value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_few = || is_count(value) && value.len() <= MAX_COUNT;
    let telling = match class {
        Class::Secret(S::Password) => {
            sure && !is_verdict(value) && !is_few()
                || looks_random(value) && letters() && !value.contains(['(', '/'])
        }
        _ => is_mixed(value),
    };
    telling && is_argument(value) && place(value).is_none_or(|place| place.len() < value.len())
}

/// `INSERT INTO users (name, password) VALUES ('bob', '..'), (..)`
fn inserted(text: &str, matched: &Captures<'_>) -> Ruling {
    let whole = matched.get_match();
    let names = matched.get(1).map_or("", |names| names.as_str());
    let classes: Vec<Option<Class>> = names.split(',').take(MAX_COLUMNS + 1).map(classify).collect();
    if classes.len() > MAX_COLUMNS || classes.iter().all(Option::is_none) {
        return over(matched);
    }
    let (mut parts, mut at) = (Vec::new(), whole.end());
    while text[at..].starts_with('(') {
        // What does not end as a row does is read as any other text.
        let Some((row, end)) = row_at(text, at + 1, classes.len()) else { break };
        for (value, class) in row.into_iter().zip(&classes) {
            let is_one = |class: &Class| {
                let telling = *class == Class::Secret(S::Password) || is_mixed(&text[value.clone()]);
                telling && is_argument(&text[value.clone()])
            };
            if let Some(class) = class.filter(is_one) {
                parts.push((value, class));
            }
        }
        at = end;
        let Some(next) = text[at..].trim_start().strip_prefix(',') else { break };
        at = text.len() - next.trim_start().len();
    }
    if parts.is_empty() { Ruling::PassOver(at) } else { Ruling::Remove(parts) }
}

/// The values of a row if it has so many, and where it ends. To MySQL a backslash keeps a quote in its string,
/// `'O\'Brien'`; to others it is a letter, `'C:\'`: which it is the number of values tells.
fn row_at(text: &str, start: usize, columns: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let readings = [true, false].map(|escaped| quoted(text, start, escaped));
    let fits = |reading: &&(Vec<Range<usize>>, usize)| reading.0.len() == columns;
    let fitting = readings.iter().flatten().find(fits).cloned();
    fitting.or_else(|| readings.into_iter().flatten().next().map(|(_, end)| (Vec::new(), end)))
}

/// What is in quotes of each value up to the bracket that closes, or nothing of it; and where it goes on. `None` where
/// there is what no row has before its bracket closes: a text of such beginnings would else be read to its end for each
/// of them.
fn quoted(text: &str, start: usize, escaped: bool) -> Option<(Vec<Range<usize>>, usize)> {
    let (mut all, mut own, mut open, mut depth) = (Vec::new(), start..start, None, 0_usize);
    let mut letters = text[start..].char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let at = start + at;
        match (open, letter) {
            (Some(_), '\\') if escaped => {
                letters.next();
            }
            (Some((quote, from)), _) if letter == quote => {
                // Two of them stand for one: `'O''Brien'`.
                let is_doubled = letters.next_if(|(_, next)| *next == quote).is_some();
                open = open.filter(|_| is_doubled);
                own = if depth == 0 && !is_doubled { from..at } else { own };
            }
            (None, '\'' | '"') => open = Some((letter, at + 1)),
            (None, '(') if depth < MAX_NESTED => depth += 1,
            (None, '(' | '\\' | ';') => return None,
            (None, ')') if depth == 0 => {
                all.push(own);
                return Some((all, at + 1));
            }
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                all.push(own);
                own = at..at;
                if all.len() > MAX_COLUMNS {
                    return None;
                }
            }
            _ => {}
        }
    }
    None
}
