//! What the names of members of JSON say of values.

use rules::facts::SecretKind as S;

use super::{
    findings::{Class, marker_at},
    unveil::visible,
};

/// The member that says how likely a model held a piece of a text.
pub(super) const LOGPROB: &str = "logprob";

/// A longer text is no name of a program.
const MAX_PROGRAM: usize = 256;

/// What a name says of its value: as it was, or as it is stored, for a later reader has only that. What is in the
/// place of removed parts says nothing.
pub(super) fn says(
    name: &str,
    redacted: Option<&str>,
    read: impl Fn(&str) -> Option<Class>,
) -> Option<Class> {
    let without_markers = |name: &str| {
        let name = visible(name);
        let name = name.as_ref();
        if !name.contains('<') {
            return read(name);
        }
        let (mut kept, mut rest) = (String::new(), name);
        while let Some(at) = rest.find('<') {
            let marker = marker_at(&rest[at..]);
            kept.push_str(&rest[..at + usize::from(marker.is_none())]);
            rest = &rest[at + marker.unwrap_or(1)..];
        }
        read(&(kept + rest))
    };
    let (raw, stored) = (without_markers(name), redacted.and_then(without_markers));
    // Of two the one that removes more, and else the one that a later reader has: it would remove what this one left.
    let with_numbers = |class: &Class| holds_numbers(*class);
    raw.filter(with_numbers).or(stored.filter(with_numbers)).or(stored).or(raw)
}

/// Whether a number can be such a value. An access token is never a number; a token of a text often is.
pub(super) fn holds_numbers(class: Class) -> bool {
    !matches!(class, Class::Secret(S::Token | S::BearerToken | S::Jwt | S::Authorization | S::Cookie))
}

pub(super) fn is_name(name: &str) -> bool {
    ["name", "key", "header", "field", "param", "parameter"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is the program that words beside it are told to.
pub(super) fn is_program(name: &str, value: &str) -> bool {
    ["command", "cmd", "program", "executable", "exe", "binary", "bin", "file", "tool", "name"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
        && value.len() <= MAX_PROGRAM
}

pub(super) fn is_value(name: &str) -> bool {
    ["value", "values", "stringValue", "string_value", "val", "v"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}
