//! The words of a command: given as a list, as an object by number, or as a line in which a shell reads quotes.

use std::borrow::Cow;

use super::{tree::Node, unveil::visible};

/// The items of a list, or of an object whose names are their places: `{"0": "rm", "1": "-rf"}`.
pub(super) fn items<'n, 't>(node: &'n Node<'t>) -> Option<Vec<&'n Node<'t>>> {
    match node {
        Node::List(items) => Some(items.iter().collect()),
        Node::Object(members) if !members.is_empty() => {
            let placed = |(name, value): &'n (Cow<'t, str>, Node<'t>)| Some((place(name)?, value));
            let mut placed = members.iter().map(placed).collect::<Option<Vec<_>>>()?;
            placed.sort_by_key(|(place, _)| *place);
            // Other numbers are ids, or years. A place that is told twice is one: of two, one reader takes the first.
            let follows = |pair: &[(u32, &Node<'t>)]| pair[1].0 - pair[0].0 <= 1;
            if placed[0].0 != 0 || !placed.windows(2).all(follows) {
                return None;
            }
            Some(placed.into_iter().map(|(_, value)| value).collect())
        }
        Node::Object(_) | Node::Text(_) | Node::Scalar(_) => None,
    }
}

fn place(name: &str) -> Option<u32> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok() } else { None }
}

/// The text of a node that is one.
pub(super) fn text_of<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match node {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

/// Each word of a list, those of lists in it too; `None` if there is anything else in it.
pub(super) fn words(list: &[&Node<'_>]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for item in list {
        match item {
            Node::Text(text) => all.push(text.to_string()),
            Node::Scalar(token) => all.push((*token).to_owned()),
            Node::List(_) | Node::Object(_) => all.extend(words(&items(item)?)?),
        }
    }
    Some(all)
}

/// The words of a command that is given as a list, as one line.
pub(super) fn joined(list: &[&Node<'_>]) -> Option<String> {
    words(list).map(|words| words.join(" ")).filter(|line| !line.is_empty())
}

/// Whether there is a text among the items, or in lists among them.
pub(super) fn has_text(list: &[&Node<'_>]) -> bool {
    list.iter().any(|item| match item {
        Node::Text(_) => true,
        _ => items(item).is_some_and(|items| has_text(&items)),
    })
}

/// A command on one line, its words one blank apart: a shell takes any white space, and a line goes on behind `\`.
pub(super) fn folded(text: &str) -> String {
    let text =
        visible(text).replace("\\\r\n", " ").replace("\\\n", " ").replace("${IFS}", " ").replace("$IFS", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line as a shell reads it, without the quotes and the backslashes that it drops; `None` where it has none.
pub(super) fn unquoted(line: &str) -> Option<String> {
    if !line.contains(['"', '\'', '\\']) {
        return None;
    }
    let mut read = String::with_capacity(line.len());
    let mut quote = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '$') if matches!(letters.peek(), Some('"' | '\'')) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if letter == open => quote = None,
            // Between quotes of two strokes it is only dropped before what would mean something.
            (Some('"'), '\\') if !matches!(letters.peek(), Some('"' | '\\' | '$' | '`')) => read.push(letter),
            (None | Some('"'), '\\') => read.extend(letters.next()),
            _ => read.push(letter),
        }
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::redact::tree;

    fn line(text: &str) -> Option<String> {
        let node = tree::read(text, 0).expect("is JSON");
        items(&node).and_then(|items| joined(&items))
    }

    #[test]
    fn a_line_is_read_as_a_shell_reads_it() {
        for (line, read) in [
            (r#"r""m -rf /"#, "rm -rf /"),
            ("r''m '-rf' /", "rm -rf /"),
            (r"r\m \-rf /", "rm -rf /"),
            (r#""rm" $'-rf' $"/""#, "rm -rf /"),
            (r#"echo "a \"b\" \n" 'c\d'"#, r#"echo a "b" \n c\d"#),
            ("echo it's", "echo its"),
            ("rm \\", "rm "),
        ] {
            assert_eq!(unquoted(line).as_deref(), Some(read), "{line}");
        }
        assert_eq!(unquoted("rm -rf /"), None);
    }

    #[test]
    fn an_object_by_number_is_a_list() {
        for text in [
            r#"["rm", ["-rf"], {"0": "/"}]"#,
            r#"{"0": "rm", "1": "-rf", "2": "/"}"#,
            r#"{"2": "/", "3": 1, "0": "rm", "1": "-rf"}"#,
        ] {
            assert!(line(text).is_some_and(|line| line.starts_with("rm -rf /")), "{text}");
        }
        for text in [
            "{}",
            "[]",
            r#"{"0": "rm", "x": "-rf"}"#,
            r#"{"": "rm"}"#,
            r#"["rm", {"x": 1}]"#,
            "\"rm\"",
            r#"{"1001": "ship to Bob"}"#,
            r#"{"2024": "five", "2025": "six"}"#,
            r#"{"0": "rm", "2": "-rf"}"#,
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }
}
