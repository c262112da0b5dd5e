//! JSON as its writer wrote it: members in order, one that is there twice too, and numbers of any size. A reader that
//! keeps one of two members may keep another one than the tool that gets them.

use std::borrow::Cow;

use super::json::{MAX_DEPTH, Reader, too_deep, unescape};

/// One value of a JSON text.
pub(super) enum Node<'t> {
    Text(Cow<'t, str>),
    /// A number, `true`, `false` or `null`, as it is written.
    Scalar(&'t str),
    List(Vec<Self>),
    Object(Vec<(Cow<'t, str>, Self)>),
}

/// Reads a text that is one JSON value, nested not too deep for those around it.
pub(super) fn read(text: &str, depth: usize) -> Result<Node<'_>, serde_json::Error> {
    value(&mut Reader::new(text)?, depth)
}

fn value<'t>(reader: &mut Reader<'t>, depth: usize) -> Result<Node<'t>, serde_json::Error> {
    let first = reader.peek();
    if matches!(first, b'{' | b'[') {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        reader.at += 1;
    }
    Ok(match first {
        b'{' => {
            let mut members = Vec::new();
            while !reader.take_if(b'}') {
                let name = unescape(reader.string())?;
                reader.take_if(b':');
                members.push((name, value(reader, depth + 1)?));
                reader.take_if(b',');
            }
            Node::Object(members)
        }
        b'[' => {
            let mut items = Vec::new();
            while !reader.take_if(b']') {
                items.push(value(reader, depth + 1)?);
                reader.take_if(b',');
            }
            Node::List(items)
        }
        b'"' => Node::Text(unescape(reader.string())?),
        _ => Node::Scalar(reader.scalar()),
    })
}
