//! Statements of SQL whose values are told beside them:
//! `{"sql": "INSERT INTO users (name, password) VALUES (?, ?)", "params": ["bob", ".."]}`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{
    columns::{MAX_COLUMNS, is_cell},
    fields::classify,
    findings::Class,
    ruling::{Judge, Ruling},
    values::argument_at,
};

/// Shapes and judges, of code: `execute("UPDATE users SET password = %s", ("..",))`. They are applied behind those of
/// `columns`.
pub(super) const BOUND: &[(&str, Judge)] = &[(
    concat!(
        r#"(?i)["'`][ \t\r\n]*((?:insert|update|select|delete|alter|create)[ \t\r\n][^"'`]*)["'`]{1,3}"#,
        r"[ \t]*,[ \t\r\n]*[(\[{]?",
    ),
    beside,
)];

/// Longer statements are not read.
const MAX_STATEMENT: usize = 16_384;
/// So far before a mark the name is looked for that it is compared with.
const MAX_BEFORE: usize = 128;

/// The columns of an `INSERT`, up to its first row.
pub(super) static INSERT: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)(?-u:\b)insert\s+(?:ignore\s+)?into\s+[^\s(]+\s*\(([^()]*)\)\s*values\s*"));

/// What stands in the place of a value: `?`, `$1`, `:1`, `%s`; and what is in quotes, where it stands for itself.
pub(super) static MARK: LazyLock<Regex> = LazyLock::new(|| fixed(r"'[^']*'|\?|%s|[$:]([0-9]{1,3})(?-u:\b)"));

/// What statements that take values begin with.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "alter", "call", "create", "delete", "exec", "execute", "insert", "merge", "replace", "select", "set", "update", "with",
];

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("a fixed pattern: {error}"))
}

/// Whether a member is a statement.
pub(super) fn is_statement(name: &str) -> bool {
    ["sql", "query", "statement", "stmt", "text", "command", "q"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The values in quotes that stand behind a statement.
fn beside(text: &str, matched: &Captures<'_>) -> Ruling {
    let classes = bound(matched.get(1).map_or("", |statement| statement.as_str()));
    let (mut parts, mut at) = (Vec::new(), matched.get_match().end());
    for class in &classes {
        let start = text.len() - text[at..].trim_start().len();
        let Some((range, quoted)) = argument_at(text, start) else { break };
        let value = &text[range.clone()];
        at = range.end;
        if let Some(class) = class.filter(|class| quoted && is_cell(*class, value, true)) {
            parts.push((range, class));
        }
        let rest = text[at..].trim_start_matches(['\\', '"', '\'', '`', ' ', '\t']);
        let Some(next) = rest.strip_prefix(',') else { break };
        at = text.len() - next.len();
    }
    if parts.is_empty() { Ruling::PassOver(at) } else { Ruling::Remove(parts) }
}

/// What each value is that a statement is given, by the column that it is put into or compared with; nothing if none of
/// them is a secret.
pub(super) fn bound(statement: &str) -> Vec<Option<Class>> {
    let verb = statement.split_whitespace().next().unwrap_or_default();
    let is_one = VERBS.iter().any(|known| verb.eq_ignore_ascii_case(known));
    if statement.len() > MAX_STATEMENT || !is_one || !statement.contains(['?', '$', '%', ':']) {
        return Vec::new();
    }
    let insert = INSERT.captures(statement);
    let names = insert.as_ref().and_then(|insert| insert.get(1)).map_or("", |names| names.as_str());
    let columns: Vec<Option<Class>> = names.split(',').take(MAX_COLUMNS).map(classify).collect();
    let rows = insert.map_or(statement.len(), |insert| insert.get_match().end());
    let (mut all, mut row) = (Vec::<Option<Class>>::new(), Row { at: rows, depth: 0_usize, column: 0 });
    let mut next = 0;
    for mark in MARK.captures_iter(statement) {
        let start = mark.get_match().start();
        if mark.get_match().as_str().starts_with('\'') {
            continue;
        }
        let class = if start < rows {
            compared(&statement[..start])
        } else {
            row.go_on(statement, start);
            columns.get(row.column).copied().flatten()
        };
        let numbered = mark.get(1).and_then(|number| number.as_str().parse::<usize>().ok());
        let place = numbered.map_or(next, |number| number.saturating_sub(1));
        next = place + 1;
        if place < MAX_COLUMNS {
            if all.len() <= place {
                all.resize(place + 1, None);
            }
            all[place] = class.or(all[place]);
        }
    }
    if all.iter().all(Option::is_none) { Vec::new() } else { all }
}

/// Where in the rows of an `INSERT` one is.
struct Row {
    at: usize,
    depth: usize,
    column: usize,
}

impl Row {
    fn go_on(&mut self, statement: &str, to: usize) {
        for byte in &statement.as_bytes()[self.at..to] {
            match byte {
                b'(' => {
                    self.depth += 1;
                    self.column = if self.depth == 1 { 0 } else { self.column };
                }
                b')' => self.depth = self.depth.saturating_sub(1),
                b',' if self.depth == 1 => self.column += 1,
                _ => {}
            }
        }
        self.at = to;
    }
}

/// What a value is that stands behind a name: `password = ?`, `password = crypt(?, ..)`, `PASSWORD %s`.
fn compared(before: &str) -> Option<Class> {
    let mut before = &before[before.floor_char_boundary(before.len().saturating_sub(MAX_BEFORE))..];
    for _ in 0..2 {
        let named = before.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let joint = &before[named.len()..];
        let name = named.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        // What stands before a comma is of another value.
        if joint.is_empty() || joint.contains([',', ')', ';', '?', '$', '%', ':']) {
            return None;
        }
        let class = classify(name);
        if class.is_some() || !joint.contains('(') && !name.eq_ignore_ascii_case("like") {
            return class;
        }
        before = &named[..named.len() - name.len()];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_its_column_says() {
        for (statement, words) in [
            ("INSERT INTO users (name, password) VALUES (?, ?)", "- PASSWORD"),
            (
                "insert into u (password, name, n) values ($1, $2, f($3, 1)), ($4, $5, $6)",
                "PASSWORD - - PASSWORD - -",
            ),
            ("INSERT INTO u (n, password) VALUES (%s, crypt(%s, gen_salt('bf')))", "- PASSWORD"),
            ("UPDATE u SET password=?, name=? WHERE id = ?", "PASSWORD - -"),
            ("SELECT 1 FROM u WHERE name = $2 AND \"password\" = $1", "PASSWORD -"),
            ("UPDATE u SET pw = crypt(:1, :2) WHERE token LIKE :3", "PASSWORD - TOKEN"),
            ("ALTER USER bob PASSWORD %s", "PASSWORD"),
            ("SELECT name FROM u WHERE id = ?", ""),
            ("is the password right? or $1 of it", ""),
            ("SELECT password, ? FROM u", ""),
            ("INSERT INTO u (n, password) VALUES ('a?b', ?)", "PASSWORD"),
            ("What is my password? and the token ?", ""),
        ] {
            let classes = bound(statement);
            let told: Vec<&str> = classes.iter().map(|class| class.map_or("-", Class::word)).collect();
            assert_eq!(told.join(" "), words, "{statement}");
        }
    }
}
