//! What the dialects call by different names (`names`), by our names: found in one pass over a span's attributes.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    field::Field,
    literal,
    names::field_of,
    nothing::is_no_name,
    usage, value,
    wire::{Any, Attribute},
};

const FIELDS: usize = Field::Url as usize + 1;

/// What a field's value must be to say something.
enum Reads {
    Text,
    /// A text, or a number that is a name.
    Name,
    /// A text, or the first of a list.
    FirstName,
    Count,
    Usd,
    /// Whatever is not an empty text.
    Content,
}

impl Field {
    const fn reads(self) -> Reads {
        match self {
            Self::OpenInferenceKind
            | Self::Operation
            | Self::RequestType
            | Self::TraceloopKind
            | Self::McpMethod
            | Self::OtherKind
            | Self::LangSmithKind
            | Self::Provider
            | Self::Model
            | Self::ModelRequested
            | Self::ToolName
            | Self::ToolCallId
            | Self::AgentName
            | Self::EntityName
            | Self::RequestId
            | Self::InvocationParameters
            | Self::ServiceTier
            | Self::Speed
            | Self::InferenceGeo
            | Self::ErrorType
            | Self::StatusWord
            | Self::HttpMethod
            | Self::ServerAddress
            | Self::Url => Reads::Text,
            Self::Conversation | Self::Session | Self::User => Reads::Name,
            Self::FinishReason => Reads::FirstName,
            Self::InputTokens
            | Self::OutputTokens
            | Self::TotalTokens
            | Self::CachedTokens
            | Self::WrittenTokens
            | Self::WrittenHourTokens
            | Self::WrittenMinutesTokens
            | Self::ReasoningTokens
            | Self::ToolUseTokens
            | Self::OtherTokens
            | Self::HttpStatus => Reads::Count,
            Self::Cost | Self::InputCost | Self::OutputCost => Reads::Usd,
            Self::InputMessages
            | Self::OutputMessages
            | Self::SystemMessages
            | Self::Input
            | Self::Output
            | Self::ToolArguments
            | Self::ToolParameters
            | Self::ToolResult => Reads::Content,
        }
    }

    /// Whether a value says anything: another name of the field may say it where this one does not.
    fn said_by(self, value: &Any<'_>) -> bool {
        match self.reads() {
            Reads::Text => match self {
                // A method that OpenTelemetry has no word for is one.
                Self::HttpMethod => value::text(value).is_some(),
                // So is an error of which nobody knows what it is.
                Self::ErrorType => value::text(value).is_some_and(|word| {
                    let word = word.trim();
                    ["unknown", "_other"].iter().any(|known| word.eq_ignore_ascii_case(known))
                        || !is_no_name(word)
                }),
                _ => value::named(value).is_some(),
            },
            Reads::Name => value::name(value).is_some(),
            Reads::FirstName => value::first_name(value).is_some(),
            Reads::Count => value::count(value).is_some_and(|count| self != Self::OtherTokens || count > 0),
            Reads::Usd => value::nano_usd(value).is_some(),
            Reads::Content => !matches!(value, Any::Text(text) if text.trim().is_empty()),
        }
    }

    /// Whether a value says that there was nothing: another name may say more, and dialects fill those that they have
    /// no value for with zeros.
    fn is_nothing(self, value: &Any<'_>) -> bool {
        match self.reads() {
            Reads::Content => value::is_hollow(value),
            Reads::Count => value::count(value) == Some(0),
            Reads::Usd => value::nano_usd(value) == Some(0),
            Reads::Text | Reads::Name | Reads::FirstName => false,
        }
    }

    /// Whether a value that does not say it is one that nobody can read: something, and no zero of what counts from
    /// one.
    fn is_told_by(self, value: &Any<'_>) -> bool {
        match self {
            Self::OtherTokens if value::count(value).is_some() => false,
            // What was written by how long it is kept is told by its members.
            Self::WrittenTokens if usage::is_object(value) => false,
            _ => !value::is_hollow(value),
        }
    }
}

/// OpenInference tells what an application says of a call as one object, most often as its JSON, LangGraph's thread
/// among it: the ids in it as attributes, each.
fn ids_within(all: &[Attribute<'_>]) -> Vec<Attribute<'static>> {
    const IDS: [(&str, &str); 4] = [
        ("conversation_id", "metadata.conversation_id"),
        ("thread_id", "metadata.thread_id"),
        ("session_id", "metadata.session_id"),
        ("user_id", "metadata.user_id"),
    ];
    let mut found = Vec::new();
    for one in all.iter().filter(|one| one.key == "metadata") {
        let told = match &one.value {
            Some(Any::Text(text)) if IDS.iter().any(|(id, _)| text.contains(id)) => literal::object(text),
            Some(value @ Any::Map(_)) => value::told(value).and_then(|text| literal::object(&text)),
            _ => None,
        };
        let Some(Value::Object(members)) = told else { continue };
        for (id, key) in IDS {
            let value = match members.get(id) {
                Some(Value::String(id)) => Any::Text(Cow::Owned(id.clone())),
                Some(Value::Number(id)) => Any::Text(Cow::Owned(id.to_string())),
                _ => continue,
            };
            found.push(Attribute { key: Cow::Borrowed(key), value: Some(value) });
        }
    }
    found
}

/// A span's attributes, with the places of those that are fields.
pub(super) struct Fields<'b> {
    /// Those that came, and behind them those that others hold within.
    all: Vec<Attribute<'b>>,
    came: usize,
    places: [Option<(u8, usize)>; FIELDS],
    /// A bit for each field that one of its names tells in a way that nobody can read.
    unread: u64,
}

const _: () = assert!(FIELDS <= 64, "a bit for each");

/// More than the rank of any name of what went in and came out, of a count and of a cost; so much more is a rank too.
const HOLLOW: u8 = 128;

impl<'b> Fields<'b> {
    pub(super) fn of(mut all: Vec<Attribute<'b>>) -> Self {
        let came = all.len();
        let within = [usage::within(&all), ids_within(&all)];
        all.extend(within.into_iter().flatten());
        let mut places = [None; FIELDS];
        let mut unread = 0;
        for (at, one) in all.iter().enumerate() {
            let Some((field, mut rank)) = field_of(&one.key) else { continue };
            // Behind all that say what went in or came out, and how much.
            if one.value.as_ref().is_some_and(|value| field.is_nothing(value)) {
                rank += HOLLOW;
            }
            let place: &mut Option<(u8, usize)> = &mut places[field as usize];
            let Some(value) = one.value.as_ref().filter(|_| place.is_none_or(|(known, _)| rank < known))
            else {
                continue;
            };
            if field.said_by(value) {
                *place = Some((rank, at));
            } else if field.is_told_by(value) {
                unread |= 1 << field as u64;
            }
        }
        Self { all, came, places, unread }
    }

    pub(super) fn all(&self) -> &[Attribute<'b>] {
        &self.all[..self.came]
    }

    /// Those that came and are no field.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Attribute<'b>> {
        self.all().iter().filter(|one| field_of(&one.key).is_none())
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.places[field as usize].is_some()
    }

    /// Whether it is told, but under none of its names in a way that can be read.
    pub(super) fn is_unreadable(&self, field: Field) -> bool {
        !self.has(field) && self.unread & 1 << field as u64 != 0
    }

    pub(super) fn get(&self, field: Field) -> Option<&Any<'b>> {
        let (_, at) = self.places[field as usize]?;
        self.all[at].value.as_ref()
    }

    /// By which of its names it is told.
    pub(super) fn key(&self, field: Field) -> Option<&str> {
        let (_, at) = self.places[field as usize]?;
        Some(&self.all[at].key)
    }

    pub(super) fn text(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(value::text)
    }

    pub(super) fn first_name(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(value::first_name)
    }

    pub(super) fn owned(&self, field: Field) -> Option<String> {
        self.text(field).map(str::to_owned)
    }

    /// A name, which may be a number.
    pub(super) fn name(&self, field: Field) -> Option<String> {
        self.get(field).and_then(value::name)
    }

    pub(super) fn count(&self, field: Field) -> Option<u64> {
        self.get(field).and_then(value::count)
    }

    pub(super) fn nano_usd(&self, field: Field) -> Option<u64> {
        self.get(field).and_then(value::nano_usd)
    }

    /// Moves a value's text out; what is no text, as JSON.
    pub(super) fn take(&mut self, field: Field) -> Option<String> {
        let (_, at) = self.places[field as usize]?;
        self.all[at].value.take().and_then(value::into_text)
    }
}
