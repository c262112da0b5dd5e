//! Keys of AWS, which are two texts: the id says by its beginning what it is, the secret by nothing but its length and
//! the id beside it.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{findings::Class, ruling::Ruling};

/// So far from an id its secret is looked for: a line or two of a file, a row or two of a table.
const NEAR: usize = 200;
/// So many letters of base64 a secret has.
const SECRET: usize = 40;

/// A key of a cloud, and the secret on either side of it if it is half of a pair.
pub(super) fn cloud_key(text: &str, matched: &Captures<'_>) -> Ruling {
    let key = matched.get_match().range();
    let class = Class::Secret(S::CloudKey);
    if !text[key.clone()].starts_with('A') || text[key.clone()].starts_with("AIza") {
        return Ruling::Remove(vec![(key, class)]);
    }
    let bytes = text.as_bytes();
    let before = key.start.saturating_sub(NEAR);
    let after = key.end..(key.end + NEAR).min(bytes.len());
    // What stands behind the next id is of that one.
    let end = ["AKIA", "ASIA"].iter().filter_map(|id| find(&bytes[after.clone()], id)).min();
    let behind = secrets(bytes, key.end..end.map_or(after.end, |at| key.end + at)).next();
    let ahead = secrets(bytes, before..key.start).last();
    let parts = ahead.into_iter().chain([key]).chain(behind);
    Ruling::Remove(parts.map(|part| (part, class)).collect())
}

fn find(bytes: &[u8], id: &str) -> Option<usize> {
    bytes.windows(id.len()).position(|window| window == id.as_bytes())
}

/// What may be a secret there: as many letters as one has, of each kind, and not of one word with what is beside them.
fn secrets(bytes: &[u8], place: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut at = place.start;
    std::iter::from_fn(move || {
        let start = (at..place.end).find(|at| is_of_it(bytes[*at]))?;
        let length = bytes[start..].iter().take(NEAR).take_while(|byte| is_of_it(**byte)).count();
        at = start + length;
        Some(start..at)
    })
    .filter(move |run| {
        let secret = &bytes[run.clone()];
        let has = |is_of: fn(&u8) -> bool| secret.iter().any(is_of);
        secret.len() == SECRET
            && !(run.start > 0 && is_of_it(bytes[run.start - 1]))
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_digit)
    })
}
