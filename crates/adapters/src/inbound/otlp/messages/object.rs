//! JSON as parts of messages are made of it: members of objects, items of lists, and texts.

use std::borrow::Cow;

use super::super::reader::Reader;

/// The members of an object, each with its JSON.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    /// Reads JSON that is an object.
    pub(super) fn of(json: &'a str) -> Option<Self> {
        let mut reader = Reader::within(json);
        let mut members = Vec::new();
        if reader.peek() != b'{' {
            return None;
        }
        reader.members(|reader, key| {
            if !reader.null() {
                members.push((key, reader.skip()));
            }
        });
        Some(Self(members))
    }

    /// Its members that are not null.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, json)| (&**name, *json))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The JSON of a member; the last where there are several, as most read it.
    pub(super) fn json(&self, names: &[&str]) -> Option<&'a str> {
        let of = |name: &str| self.0.iter().rev().find(|(key, _)| key == name).map(|(_, json)| *json);
        names.iter().find_map(|name| of(name))
    }

    /// The text of a member that is one.
    pub(super) fn text(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        let texts = names.iter().filter_map(|name| self.json(&[name]));
        texts.filter(|json| json.starts_with('"')).map(text_of).find(|text| !text.is_empty())
    }

    /// A member as text, whatever it is.
    pub(super) fn whole(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        self.json(names).map(text_of)
    }

    pub(super) fn object(&self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| Self::of(self.json(&[name])?))
    }
}

/// What a string holds; the JSON of anything else.
pub(super) fn text_of(json: &str) -> Cow<'_, str> {
    Reader::within(json).as_text().unwrap_or_default()
}

/// Whether JSON is more than an empty thing.
pub(super) fn is_full(json: &str) -> bool {
    !matches!(json, "\"\"" | "{}" | "[]" | "false")
}

/// The items of JSON that is a list.
pub(super) fn items(json: &str) -> Option<Vec<&str>> {
    let mut reader = Reader::within(json);
    let mut items = Vec::new();
    if reader.peek() != b'[' {
        return None;
    }
    reader.items(|reader| items.push(reader.skip()));
    Some(items)
}
