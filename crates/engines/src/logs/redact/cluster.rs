//! What describes a secret of a cluster (`kind: Secret`): each value of its `data` and `stringData` is one, whatever it
//! is called. In YAML; in JSON `rewrite` reads it.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    fields::classify,
    findings::Class,
    nothing::is_nothing,
    ruling::{Judge, Ruling, over},
};

/// Shapes and judges: they are applied last.
pub(super) const CLUSTER: &[(&str, Judge)] =
    &[(r#"(?m:^)[ ]*(?:-[ ]+)?kind:[ \t]*["']?Secret["']?[ \t]*(?:#[^\r\n]*)?\r?(?m:$)"#, described)];

/// Whether a member of what describes a secret holds its values.
pub(super) fn is_data(name: &str) -> bool {
    matches!(name, "data" | "stringData")
}

/// What a value is that has such a name there.
pub(super) fn held(class: Option<Class>) -> Class {
    class.unwrap_or(Class::Secret(S::Secret))
}

/// The values of what a line says the kind of.
fn described(text: &str, matched: &Captures<'_>) -> Ruling {
    let kind = matched.get_match().range();
    let (indent, _) = key(&text[kind.clone()]);
    let parts = values(text, around(text, &kind, indent), indent);
    if parts.is_empty() { over(matched) } else { Ruling::Remove(parts) }
}

/// Where the name in a line begins, behind blanks and the sign of an item of a list; and the line from there on.
fn key(line: &str) -> (usize, &str) {
    let rest = line.trim_start_matches(' ');
    let named = rest.strip_prefix("- ").map_or(rest, |item| item.trim_start_matches(' '));
    (line.len() - named.len(), named)
}

/// The lines that are of the same thing as the one that says its kind. None is looked at for more than the kinds before
/// and behind it.
fn around(text: &str, kind: &Range<usize>, indent: usize) -> Range<usize> {
    let is_over = |line: &str| {
        let (own, named) = key(line.trim_end());
        named.starts_with("kind:") || line.starts_with("---") || own < indent && !named.is_empty()
    };
    let is_item = |line: &str| line.trim_start_matches(' ').starts_with("- ") && key(line).0 == indent;
    let mut start = kind.start;
    while start > 0 && !is_item(&text[start..kind.end]) {
        let before = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        if is_over(&text[before..start - 1]) {
            break;
        }
        start = before;
    }
    let mut end = kind.end;
    // The end of its own line comes first.
    for (n, line) in text[kind.end..].split_inclusive('\n').enumerate() {
        if n > 0 && (is_over(line) || is_item(line)) {
            break;
        }
        end += line.len();
    }
    start..end
}

/// The values below `data` in such lines.
fn values(text: &str, lines: Range<usize>, indent: usize) -> Vec<(Range<usize>, Class)> {
    let mut parts = Vec::new();
    let mut within = false;
    // Of a block (`conf: |`): how far its name is indented, what it is, and what has been read of it.
    let mut block: Option<(usize, Class, Option<Range<usize>>)> = None;
    let mut keep = |part: Range<usize>, class: Class| {
        if !is_nothing(&text[part.clone()]) {
            parts.push((part, class));
        }
    };
    let mut next = lines.start;
    for line in text[lines].split_inclusive('\n') {
        let (at, line_end) = (next, line.trim_end());
        next += line.len();
        let (own, named) = key(line_end);
        if named.is_empty() {
            continue;
        }
        if let Some((outer, class, read)) = block.take() {
            if own > outer {
                let from = read.map_or(at + line_end.len() - line_end.trim_start().len(), |read| read.start);
                block = Some((outer, class, Some(from..at + line_end.len())));
                continue;
            }
            if let Some(read) = read {
                keep(read, class);
            }
        }
        let Some((name, value)) = named.split_once(':').filter(|(name, _)| !name.starts_with('#')) else {
            continue;
        };
        if own <= indent {
            within = is_data(name) && value.trim().is_empty();
            continue;
        }
        if !within {
            continue;
        }
        let (class, value) = (held(classify(name)), value.trim_start());
        if value.starts_with(['|', '>']) && value.len() <= 3 {
            block = Some((own, class, None));
            continue;
        }
        let end = at + line_end.len();
        let quoted = ['"', '\'']
            .iter()
            .any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote));
        let quote = usize::from(quoted);
        keep(end - value.len() + quote..end - quote, class);
    }
    if let Some((_, class, Some(read))) = block {
        keep(read, class);
    }
    parts
}
