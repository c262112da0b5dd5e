//! Secrets in XML and its relatives: in an element or beside an attribute whose name says what it is.

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};
use rules::facts::SecretKind as S;

use super::{
    fields::classify,
    findings::{Class, marker_at},
    nothing::{MAX_STANDIN, is_nothing, is_prose, looks_random, names_one},
    ruling::{Ruling, over},
    values::value_at,
};

/// So far from a name the ends of its tag are looked for.
const MAX_TAG: usize = 1_024;
/// Longer contents are no secrets.
const MAX_CONTENT: usize = 16_384;

/// Elements that hold the value of what an attribute of theirs names.
const HOLDERS: &[&str] =
    &["add", "entry", "item", "param", "parameter", "prop", "property", "setting", "variable"];

/// The attribute that holds a value.
pub(super) static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?-u:\b)value[ \t]*=[ \t]*")
        .unwrap_or_else(|error| unreachable!("a fixed pattern: {error}"))
});

/// `<password>..</password>`, plain or with its brackets escaped.
pub(super) fn element(text: &str, matched: &Captures<'_>) -> Ruling {
    let whole = matched.get_match();
    let Some(name) = matched.get(1) else { return over(matched) };
    // What stands in the place of a removed value looks like one.
    if marker_at(&text[whole.start()..]).is_some() || whole.as_str().ends_with("/>") {
        return over(matched);
    }
    let Some(class) = classify(name.as_str()) else { return over(matched) };
    let escaped = whole.as_str().starts_with('&');
    let content = Content::at(text, whole.end(), escaped);
    let value = &text[content.range.clone()];
    // A text that was cut ends before the element does.
    let cut = content.range.end == text.len() && !value.contains(char::is_whitespace) && looks_random(value);
    if is_nothing(value) || is_prose(value) || is_word(class, value) || !(content.closed || cut) {
        return over(matched);
    }
    Ruling::Remove(vec![(content.range, class)])
}

/// Whether it is a word of a text, for which `<token>` and `<auth>` stand as often as for a secret. A password may be
/// any word.
fn is_word(class: Class, value: &str) -> bool {
    matches!(class, Class::Secret(S::Token | S::BearerToken | S::Jwt | S::Authorization | S::Cookie))
        && !value.split_whitespace().any(looks_random)
}

/// `<key>password</key><string>..</string>`
pub(super) fn pair(text: &str, matched: &Captures<'_>) -> Ruling {
    let class = matched.get(1).and_then(|name| classify(name.as_str()));
    let Some(class) = class else { return over(matched) };
    let content = Content::at(text, matched.get_match().end(), false);
    if !content.closed || is_nothing(&text[content.range.clone()]) {
        return over(matched);
    }
    Ruling::Remove(vec![(content.range, class)])
}

/// `<add key="password" value=".."/>` in either order, and `<entry key="password">..</entry>`.
pub(super) fn attribute(text: &str, matched: &Captures<'_>) -> Ruling {
    let class = matched.get(1).and_then(|name| classify(name.as_str()));
    let Some(class) = class else { return over(matched) };
    let Range { start, end } = matched.get_match().range();
    // `<input type="password" value="..">`; what else is of a type has a name for it.
    let of_type = text[start..].get(..4).is_some_and(|attribute| attribute.eq_ignore_ascii_case("type"));
    if of_type && class != Class::Secret(S::Password) {
        return over(matched);
    }
    let before = boundary(text, start.saturating_sub(MAX_TAG))..start;
    let Some(opened) = text[before.clone()].rfind(['<', '>']).map(|at| before.start + at) else {
        return over(matched);
    };
    let inside = &text[opened + 1..];
    let tag = &inside[..inside.find(|c: char| !c.is_alphanumeric()).unwrap_or(inside.len())];
    if !text[opened..].starts_with('<') || tag.is_empty() {
        return over(matched);
    }
    let ahead = end..boundary(text, end + MAX_TAG);
    let closed = text[ahead.clone()].find(['<', '>']).map(|at| ahead.start + at);
    let rest = end..closed.unwrap_or(ahead.end);
    for part in [rest.clone(), opened..start] {
        let Some(found) = VALUE.find(&text[part.clone()]) else { continue };
        if let Some((range, true)) = value_at(text, part.start + found.end(), false)
            && !is_nothing(&text[range.clone()])
            && !(of_type
                && range.len() <= MAX_STANDIN
                && (names_one(&text[range.clone()]) || is_prose(&text[range.clone()])))
        {
            return Ruling::Remove(vec![(range, class)]);
        }
        return over(matched);
    }
    let opens = closed.is_some_and(|at| text[at..].starts_with('>') && !text[..at].ends_with('/'));
    // What an app shows and what it keeps to itself: `<string name="password">Kennwort</string>` is a label.
    let is_string = tag.eq_ignore_ascii_case("string");
    if !opens || !(is_string || HOLDERS.iter().any(|holder| tag.eq_ignore_ascii_case(holder))) {
        return over(matched);
    }
    let behind = text[rest.end + 1..].trim_start();
    // `<property name="password"><value>..</value></property>`
    let inner = behind.strip_prefix("<value>").map_or(rest.end + 1, |value| text.len() - value.len());
    let content = Content::at(text, inner, false);
    let value = &text[content.range.clone()];
    let is_word = value.contains(char::is_whitespace) || classify(value).is_some();
    let is_word = is_word || is_string && !looks_random(value);
    if !content.closed || is_nothing(value) || is_word {
        return over(matched);
    }
    Ruling::Remove(vec![(content.range, class)])
}

/// What stands between two tags.
struct Content {
    /// Without blanks around it.
    range: Range<usize>,
    /// The element ends behind it.
    closed: bool,
}

impl Content {
    fn at(text: &str, start: usize, escaped: bool) -> Self {
        let limit = boundary(text, start + MAX_CONTENT);
        let whole = &text[start..limit];
        let (start, end, closed) = if let Some(data) = whole.strip_prefix("<![CDATA[") {
            let start = start + (whole.len() - data.len());
            let end = data.find("]]>");
            (start, end.map_or(limit, |end| start + end), end.is_some())
        } else {
            let (opening, closing) = if escaped { ("&lt;", "&lt;/") } else { ("<", "</") };
            let mut end = start;
            loop {
                end = text[end..limit].find(opening).map_or(limit, |at| end + at);
                match marker_at(&text[end..limit]) {
                    Some(marker) => end += marker,
                    None => break,
                }
            }
            (start, end, text[end..].starts_with(closing))
        };
        let value = &text[start..end];
        let from = start + (value.len() - value.trim_start().len());
        Self { range: from..from + value.trim().len(), closed }
    }
}

/// That place, or the last one before it where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
