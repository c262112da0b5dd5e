//! Parameters of which no name says what they are: one text, which is all that a tool was called with, or a list of
//! them.

use super::{
    lenient,
    roles::is_nameless,
    tree::{self, Node},
    unveil::visible,
    words::{has_text, items, joined, text_of},
};

/// So often a text may be the JSON of a text.
const MAX_QUOTED: usize = 4;

/// The texts that parameters are, where nothing in them has a name that says what it is: one by itself, or as `input`,
/// as what is no JSON is kept; or those of a list.
pub(super) fn bare(root: &Node<'_>) -> Vec<String> {
    bare_within(root, 0)
}

fn bare_within(node: &Node<'_>, quoted: usize) -> Vec<String> {
    if let Some(items) = items(node) {
        return bare_items(&items);
    }
    match node {
        Node::Text(text) => bare_text(text, quoted),
        Node::Object(members) => match members.as_slice() {
            [(name, value)] if is_nameless(name) => bare_within(value, quoted),
            _ => Vec::new(),
        },
        Node::List(_) | Node::Scalar(_) => Vec::new(),
    }
}

/// The text, or what it is the JSON of.
fn bare_text(text: &str, quoted: usize) -> Vec<String> {
    let text = visible(text);
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if quoted < MAX_QUOTED {
        match tree::read(text, 1) {
            // Of a list nobody knows what it is, whatever is in it.
            Ok(list) if items(&list).is_some() => {
                let found = bare_within(&list, quoted + 1);
                return if found.is_empty() { vec![text.to_owned()] } else { found };
            }
            Ok(inner @ (Node::Text(_) | Node::Object(_))) => return bare_within(&inner, quoted + 1),
            Err(_) if lenient::meant_as_json(text) => {
                return bare_within(&lenient::read(text, 1), quoted + 1);
            }
            Ok(Node::List(_) | Node::Scalar(_)) | Err(_) => {}
        }
    }
    vec![text.to_owned()]
}

/// The words of a command are one; what has blanks may be a command by itself. Beside what has names, each may be one.
fn bare_items(list: &[&Node<'_>]) -> Vec<String> {
    let line = joined(list).filter(|_| has_text(list));
    let texts = list.iter().filter_map(|item| text_of(item)).filter(|text| is_line(text) || line.is_none());
    let texts: Vec<String> = texts.map(str::to_owned).collect();
    line.into_iter().chain(texts).collect()
}

/// Whether it is more than one word.
pub(super) fn is_line(text: &str) -> bool {
    text.trim().contains(char::is_whitespace)
}
