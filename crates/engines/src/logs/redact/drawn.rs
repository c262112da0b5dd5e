//! Passwords in the column of a table that is drawn with blanks, or with a line under its head: as psql, sqlite3,
//! kubectl, docker and PowerShell answer.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    columns::{MAX_COLUMNS, MAX_HEAD, MAX_STRAYS, is_cell, is_plain},
    fields::classify,
    findings::Class,
    ruling::{Judge, Ruling, over},
};

/// Shapes and judges: they are applied behind those of `columns`.
pub(super) const DRAWN: &[(&str, Judge)] = &[(
    concat!(
        r"(?i)(?:password|passwd|pwd|passphrase|passwort|kennwort|secret|token|api_?key)(?:_?hash)?",
        r"(?:[ ]+[^\r\n]*)?[\r\n]",
    ),
    drawn,
)];

/// How the columns of a table are told apart.
enum Parted {
    /// `bob | ..`
    ByBars,
    /// By blanks; each begins at such a letter of its line.
    AtPlaces(Vec<usize>),
}

impl Parted {
    /// The cells of a line, if it has so many.
    fn cells(&self, line: &str, count: usize) -> Option<Vec<Range<usize>>> {
        let cells = match self {
            Self::ByBars => by_bars(line),
            Self::AtPlaces(places) => at_places(line, places).unwrap_or_else(|| by_blanks(line)),
        };
        (cells.len() == count).then_some(cells)
    }
}

/// The rows under the head of a table.
fn drawn(text: &str, matched: &Captures<'_>) -> Ruling {
    let found = matched.get_match();
    let rest = &text[found.end()..];
    // What ends in a carriage return alone is no line of a table.
    let rest = if found.as_str().ends_with('\r') { rest.strip_prefix('\n') } else { Some(rest) };
    let Some(rest) = rest else { return over(matched) };
    let start = text[..found.start()].rfind('\n').map_or(0, |at| at + 1);
    let head = text[start..found.end()].trim_end();
    if head.len() > MAX_HEAD || head.trim_start().starts_with('|') {
        return over(matched);
    }
    let mut at = text.len() - rest.len();
    let rule = rest.split_inclusive('\n').next().map(str::trim_end).filter(|line| is_rule(line));
    let Some((parted, names)) = columns(head, rule) else { return over(matched) };
    let classes: Vec<Option<Class>> = names.iter().map(|name| classify(&head[name.clone()])).collect();
    // What is drawn by a database holds what the table holds; in a text it may tell what there is of it.
    let sure = rule.is_some_and(|rule| !rule.contains('|')) && names.len() > 1;
    let (mut parts, mut strays, mut behind) = (Vec::new(), 0, at);
    for line in rest.split_inclusive('\n') {
        let row = line.trim_end();
        if row.is_empty() {
            break;
        }
        // In a column by itself each line would be a row.
        let is_row = classes.len() > 1 || !row.trim().contains(' ');
        if let Some(cells) = parted.cells(row, classes.len()).filter(|_| is_row) {
            strays = 0;
            for (cell, class) in cells.into_iter().zip(&classes) {
                let value = &row[cell.clone()];
                // The name of a secret of a cluster is none.
                let is_name = |class: Class| class == Class::Secret(S::Secret) && value.contains('-');
                if let Some(class) = class.filter(|class| is_cell(*class, value, sure) && !is_name(*class)) {
                    parts.push((at + cell.start..at + cell.end, class));
                }
            }
            behind = at + line.len();
        } else {
            strays += 1;
            if strays > MAX_STRAYS {
                break;
            }
        }
        at += line.len();
    }
    if parts.is_empty() { Ruling::PassOver(behind) } else { Ruling::Remove(parts) }
}

/// How the columns under a head are told apart, and where their names stand in it. `rule` is the line under it.
fn columns(head: &str, rule: Option<&str>) -> Option<(Parted, Vec<Range<usize>>)> {
    let (parted, names) = match rule {
        // `name|password`
        None if head.contains('|') && !head.contains([' ', '\t']) => (Parted::ByBars, by_bars(head)),
        None => {
            let names = by_blanks(head);
            let places = names.iter().map(|name| head[..name.start].chars().count()).collect();
            (Parted::AtPlaces(places), names)
        }
        Some(_) if head.contains('|') => (Parted::ByBars, by_bars(head)),
        Some(rule) => {
            let begins =
                |(at, byte): (usize, u8)| byte == b'-' && (at == 0 || rule.as_bytes()[at - 1] == b' ');
            let places: Vec<usize> =
                rule.bytes().enumerate().filter(|place| begins(*place)).map(|(at, _)| at).collect();
            let names = at_places(head, &places)?;
            (Parted::AtPlaces(places), names)
        }
    };
    let is_one = |name: &Range<usize>| is_plain(&head[name.clone()]);
    // What stands alone over a line may be the heading of a chapter.
    let is_column = names.len() > 1 || rule.is_some() && !head.trim().contains(' ');
    (is_column && names.len() <= MAX_COLUMNS && names.iter().all(is_one)).then_some((parted, names))
}

/// Whether a line is drawn under a head: `------+------`, `----  ----`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains("---") && line.starts_with('-') && line.bytes().all(|byte| b"-+| ".contains(&byte))
}

fn by_bars(line: &str) -> Vec<Range<usize>> {
    let (mut cells, mut at) = (Vec::new(), 0);
    for cell in line.split('|').take(MAX_COLUMNS + 1) {
        cells.push(trimmed(line, at..at + cell.len()));
        at += cell.len() + 1;
    }
    cells
}

/// What stands between two blanks or more.
fn by_blanks(line: &str) -> Vec<Range<usize>> {
    let (mut cells, mut at) = (Vec::new(), 0);
    for cell in line.split("  ").take(MAX_HEAD) {
        if !cell.trim().is_empty() {
            cells.push(trimmed(line, at..at + cell.len()));
        }
        at += cell.len() + 2;
    }
    cells
}

/// What begins at such letters of a line; `None` where one of them is within a word.
fn at_places(line: &str, places: &[usize]) -> Option<Vec<Range<usize>>> {
    let (mut begins, mut before) = (Vec::with_capacity(places.len() + 1), ' ');
    for (letter, (at, c)) in line.char_indices().enumerate() {
        if places.get(begins.len()) == Some(&letter) {
            if before != ' ' {
                return None;
            }
            begins.push(at);
        }
        before = c;
    }
    begins.resize(places.len() + 1, line.len());
    Some(begins.windows(2).map(|ends| trimmed(line, ends[0]..ends[1])).collect())
}

/// A part of a line without the blanks around it.
fn trimmed(line: &str, part: Range<usize>) -> Range<usize> {
    let cell = &line[part.clone()];
    let start = part.start + (cell.len() - cell.trim_start().len());
    start..start + cell.trim().len()
}
