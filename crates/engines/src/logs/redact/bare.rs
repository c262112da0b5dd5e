//! Parameters of which no name says what they are: one text, which is all that a tool was called with.

use super::{
    lenient,
    roles::is_nameless,
    tree::{self, Node, joined},
    unveil::visible,
};

/// So often a text may be the JSON of a text.
const MAX_QUOTED: usize = 4;

/// The text that parameters are, where they are only one: by itself, or as `input`, as what is no JSON is kept.
pub(super) fn bare(root: &Node<'_>) -> Option<String> {
    bare_within(root, 0)
}

fn bare_within(node: &Node<'_>, quoted: usize) -> Option<String> {
    match node {
        Node::Text(text) => {
            let text = visible(text);
            let text = text.trim();
            if text.is_empty() {
                return None;
            }
            if quoted < MAX_QUOTED {
                match tree::read(text, 1) {
                    Ok(inner @ (Node::Text(_) | Node::Object(_))) => return bare_within(&inner, quoted + 1),
                    // Of a list nobody knows what it is, whatever is in it.
                    Ok(Node::List(items)) => return joined(&items).or_else(|| Some(text.to_owned())),
                    Err(_) if lenient::meant_as_json(text) => {
                        return bare_within(&lenient::read(text, 1), quoted + 1);
                    }
                    Ok(Node::Scalar(_)) | Err(_) => {}
                }
            }
            Some(text.to_owned())
        }
        Node::List(items) => joined(items),
        Node::Object(members) => match members.as_slice() {
            [(name, value)] if is_nameless(name) => bare_within(value, quoted),
            _ => None,
        },
        Node::Scalar(_) => None,
    }
}
