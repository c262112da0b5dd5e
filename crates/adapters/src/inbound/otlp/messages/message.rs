//! A message, and how messages are told: alone as its text, else as JSON.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::super::reader::raw;

/// What went in, what came out, and why it ended.
pub(super) type Sides<'a> = (Vec<Message<'a>>, Vec<Message<'a>>, Option<String>);

#[derive(Debug, Default, Serialize)]
pub(super) struct Message<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) role: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<Cow<'a, str>>,
    /// What a tool answered is why it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_error: bool,
    /// Some of it lay too deep.
    #[serde(skip)]
    pub(super) deep: bool,
    /// It tells of a tool that the provider ran itself.
    #[serde(skip)]
    pub(super) served: bool,
}

impl<'a> Message<'a> {
    /// Adds to what is said, on a line of its own.
    pub(super) fn add(&mut self, text: Option<Cow<'a, str>>) {
        match (self.content.as_mut(), text) {
            (_, None) => {}
            (None, text) => self.content = text,
            (Some(known), Some(text)) if known.is_empty() => *known = text,
            (Some(_), Some(text)) if text.is_empty() => {}
            (Some(known), Some(text)) => {
                let known = known.to_mut();
                known.push('\n');
                known.push_str(&text);
            }
        }
    }

    /// Whether it is more than an empty answer.
    pub(super) fn is_an_answer(&self) -> bool {
        self.content.as_deref().is_some_and(|text| !text.trim().is_empty()) || !self.tool_calls.is_empty()
    }

    pub(super) fn says_something(&self) -> bool {
        self.content.is_some() || !self.tool_calls.is_empty() || self.tool_call_id.is_some()
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Arguments<'a>>,
}

/// What a tool is called with: as JSON where it is some, also where it comes as its text.
#[derive(Debug)]
pub(super) struct Arguments<'a>(pub(super) Cow<'a, str>);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let structure = self.0.trim_start().starts_with(['{', '[']);
        let compact = structure.then(|| compact(&self.0));
        match compact.as_deref().and_then(raw) {
            Some(json) => json.serialize(to),
            None => to.serialize_str(&self.0),
        }
    }
}

/// JSON without blanks between its tokens: what is called with the same is told the same, and each digit stays.
fn compact(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let kept = |next: &char| {
        inside ^= *next == '"' && !escaped;
        escaped = inside && *next == '\\' && !escaped;
        inside || !next.is_ascii_whitespace()
    };
    json.chars().filter(kept).collect()
}

/// The text of messages.
pub(super) fn text(mut messages: Vec<Message<'_>>, alone: &str, cut: &mut bool) -> Option<String> {
    messages.retain(Message::says_something);
    *cut |= messages.iter().any(|message| message.deep);
    match messages.as_mut_slice() {
        [] => None,
        [one]
            if one.tool_calls.is_empty()
                && one.tool_call_id.is_none()
                && one.name.is_none()
                && (one.role == alone || one.role.is_empty()) =>
        {
            one.content.take().map(Cow::into_owned)
        }
        all => serde_json::to_string(all).ok(),
    }
}

/// The call that a tool's span is of: a message may have several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

impl Own<'_> {
    /// Its place among those with these ids and names: by its id, else by its name, the last of those; the only one is
    /// its own where neither says that it is another's.
    pub(super) fn among<'c>(
        self,
        all: impl Iterator<Item = (Option<&'c str>, Option<&'c str>)>,
    ) -> Option<usize> {
        let all: Vec<_> = all.collect();
        let of_id = self.id.and_then(|id| all.iter().position(|(other, _)| *other == Some(id)));
        let of_name = || self.name.and_then(|name| all.iter().rposition(|(_, other)| *other == Some(name)));
        let alone = || matches!(all.as_slice(), [(id, name)] if self.may_be(*id, *name)).then_some(0);
        of_id.or_else(of_name).or_else(alone)
    }

    /// Whether neither an id nor a name says that it is another's.
    pub(super) fn may_be(self, id: Option<&str>, name: Option<&str>) -> bool {
        let differ =
            |own: Option<&str>, other: Option<&str>| own.zip(other).is_some_and(|(own, other)| own != other);
        !differ(self.id, id) && !differ(self.name, name)
    }
}
