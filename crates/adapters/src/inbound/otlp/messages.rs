//! What was said to a model and what it said, in one form for all dialects.
//!
//! A prompt that is one message of the user, and a response that is one message, are their text; anything else is a
//! JSON list of `{role, content, name, tool_calls: [{id, name, arguments}], tool_call_id}`, empty members left out.

use std::{borrow::Cow, collections::BTreeMap};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue},
    trace::v1::span::Event,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    fields::{Field, Fields},
    value,
};

/// What was said, as far as the span tells.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) prompt: Option<String>,
    pub(super) response: Option<String>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    role: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Serialize)]
struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Value>,
}

/// Reads a model call's messages, wherever its dialect keeps them.
pub(super) fn of(fields: &Fields, events: &[Event]) -> Said {
    let mut said = Said::default();
    let flat = Flat::of(fields.all());
    if !flat.input.is_empty() {
        said.prompt = text(flat.input.into_values().collect(), "user");
    }
    if !flat.output.is_empty() {
        said.response = text(flat.output.into_values().collect(), "assistant");
    }
    let told = [Told::of_span(fields)].into_iter().chain(events.iter().map(Told::of_event));
    for told in told {
        if let Some(system) = told.system.filter(|_| said.prompt.is_none()) {
            let list = join(&system, told.input.as_deref());
            said.prompt = list.or(said.prompt);
        } else if said.prompt.is_none() {
            said.prompt = told.input.and_then(|raw| parts(&raw, "user").0);
        }
        if said.response.is_none()
            && let Some(raw) = told.output
        {
            let (response, finish) = parts(&raw, "assistant");
            said.response = response;
            said.finish_reason = said.finish_reason.or(finish);
        }
    }
    if said.prompt.is_none() && said.response.is_none() {
        by_events(events, &mut said);
    }
    said
}

/// The text of messages.
fn text(mut messages: Vec<Message<'_>>, alone: &str) -> Option<String> {
    messages.retain(|one| one.content.is_some() || !one.tool_calls.is_empty());
    match messages.as_mut_slice() {
        [] => None,
        [one] if one.tool_calls.is_empty() && (one.role == alone || one.role.is_empty()) => {
            one.content.take().map(Cow::into_owned)
        }
        all => serde_json::to_string(all).ok(),
    }
}

/// Messages that a span or an event carries whole.
#[derive(Default)]
struct Told<'a> {
    system: Option<Cow<'a, str>>,
    input: Option<Cow<'a, str>>,
    output: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    fn of_span(fields: &'a Fields) -> Self {
        let whole = |field| fields.get(field).and_then(whole);
        Self {
            system: whole(Field::SystemMessages),
            input: whole(Field::InputMessages),
            output: whole(Field::OutputMessages),
        }
    }

    fn of_event(event: &'a Event) -> Self {
        let carries = matches!(
            event.name.as_str(),
            "gen_ai.client.inference.operation.details"
                | "gen_ai.content.prompt"
                | "gen_ai.content.completion"
        );
        if !carries {
            return Self::default();
        }
        let find = |keys: [&str; 2]| {
            let named = |key: &str| event.attributes.iter().find(|one| one.key == key)?.value.as_ref();
            keys.into_iter().find_map(named).and_then(whole)
        };
        Self {
            system: find(["gen_ai.system_instructions", ""]),
            input: find(["gen_ai.input.messages", "gen_ai.prompt"]),
            output: find(["gen_ai.output.messages", "gen_ai.completion"]),
        }
    }
}

/// A text, or the JSON of what has a structure.
fn whole(value: &AnyValue) -> Option<Cow<'_, str>> {
    if let Some(text) = value::text(value) {
        return Some(Cow::Borrowed(text));
    }
    let json = serde_json::to_string(&value::Json(value)).ok()?;
    json.starts_with(['[', '{']).then_some(Cow::Owned(json))
}

/// A message as OpenTelemetry's parts, or as providers write it.
#[derive(Deserialize)]
struct Given<'a> {
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parts: Option<Vec<Part<'a>>>,
    #[serde(default)]
    tool_calls: Option<Vec<Value>>,
    #[serde(borrow, default)]
    tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(default)]
    arguments: Option<Value>,
    #[serde(borrow, default, alias = "result")]
    response: Option<&'a RawValue>,
}

/// The text of a list of messages, and why the last of them ended. What is no such list is its own text.
fn parts(raw: &str, alone: &str) -> (Option<String>, Option<String>) {
    let Ok(given) = serde_json::from_str::<Vec<Given<'_>>>(raw) else { return (Some(raw.to_owned()), None) };
    let finish = given.last().and_then(|message| message.finish_reason.as_deref().map(str::to_owned));
    let messages = given.into_iter().map(message).collect();
    (text(messages, alone), finish)
}

/// System instructions, which are parts, before the messages.
fn join(system: &str, input: Option<&str>) -> Option<String> {
    let mut messages = Vec::new();
    let instructions = match serde_json::from_str::<Vec<Part<'_>>>(system) {
        Ok(parts) => message(Given {
            role: Some("system".into()),
            name: None,
            content: None,
            parts: Some(parts),
            tool_calls: None,
            tool_call_id: None,
            finish_reason: None,
        }),
        Err(_) => {
            Message { role: "system".into(), content: Some(Cow::Borrowed(system)), ..Message::default() }
        }
    };
    messages.push(instructions);
    let input = input.unwrap_or_default();
    match serde_json::from_str::<Vec<Given<'_>>>(input) {
        Ok(given) => messages.extend(given.into_iter().map(message)),
        Err(_) if input.is_empty() => {}
        Err(_) => messages.push(Message {
            role: "user".into(),
            content: Some(Cow::Borrowed(input)),
            ..Message::default()
        }),
    }
    text(messages, "user")
}

fn message(given: Given<'_>) -> Message<'_> {
    let mut message = Message {
        role: given.role.unwrap_or_default(),
        content: given.content.and_then(content),
        name: given.name,
        tool_calls: given.tool_calls.unwrap_or_default().iter().map(provider_call).collect(),
        tool_call_id: given.tool_call_id,
    };
    for part in given.parts.unwrap_or_default() {
        match part.kind.as_deref().unwrap_or("text") {
            "tool_call" => message.tool_calls.push(ToolCall {
                id: part.id,
                name: part.name,
                arguments: part.arguments.map(parsed),
            }),
            "tool_call_response" => {
                message.tool_call_id = part.id;
                add(&mut message.content, part.response.and_then(content));
            }
            "text" | "reasoning" => {
                add(&mut message.content, part.text.or_else(|| part.content.and_then(content)));
            }
            // A picture, a file: that it was there, and its kind.
            other => add(&mut message.content, Some(Cow::Owned(format!("[{other}]")))),
        }
    }
    message
}

fn add<'a>(to: &mut Option<Cow<'a, str>>, text: Option<Cow<'a, str>>) {
    match (to.as_mut(), text) {
        (_, None) => {}
        (None, text) => *to = text,
        (Some(known), Some(text)) => {
            let known = known.to_mut();
            known.push('\n');
            known.push_str(&text);
        }
    }
}

/// Content is a text, or a list of parts, or JSON that stays JSON.
fn content(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    if json == "null" {
        return None;
    }
    if let Ok(text) = serde_json::from_str::<Text<'_>>(json) {
        return Some(text.0);
    }
    if let Ok(parts) = serde_json::from_str::<Vec<Part<'_>>>(json) {
        let mut all = None;
        for part in parts {
            add(&mut all, part.text.or_else(|| part.content.and_then(content)));
        }
        return all;
    }
    Some(Cow::Borrowed(json))
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// `{id, type, function: {name, arguments}}`, or `{id, name, arguments}`.
fn provider_call(call: &Value) -> ToolCall<'static> {
    let text = |value: &Value| value.as_str().map(|text| Cow::Owned(text.to_owned()));
    let function = call.get("function").unwrap_or(call);
    ToolCall {
        id: text(&call["id"]),
        name: text(&function["name"]),
        arguments: function.get("arguments").or_else(|| function.get("args")).cloned().map(parsed),
    }
}

/// Arguments as JSON, also where they come as its text.
fn parsed(arguments: Value) -> Value {
    match &arguments {
        Value::String(text) => serde_json::from_str(text).unwrap_or(arguments),
        _ => arguments,
    }
}

/// Messages that are spread over attributes: `llm.input_messages.0.message.content`, `gen_ai.prompt.0.content`.
#[derive(Default)]
struct Flat<'a> {
    input: BTreeMap<u32, Message<'a>>,
    output: BTreeMap<u32, Message<'a>>,
}

impl<'a> Flat<'a> {
    fn of(attributes: &'a [KeyValue]) -> Self {
        let mut flat = Self::default();
        for KeyValue { key, value, .. } in attributes {
            let Some((is_input, rest)) = side(key) else { continue };
            let (Some((at, rest)), Some(value)) = (index(rest), value) else { continue };
            let list = if is_input { &mut flat.input } else { &mut flat.output };
            let message = list.entry(at).or_default();
            let text = value::text(value).map(Cow::Borrowed);
            spread(message, rest.strip_prefix("message.").unwrap_or(rest), text);
        }
        flat
    }
}

fn side(key: &str) -> Option<(bool, &str)> {
    let input = key.strip_prefix("llm.input_messages.").or_else(|| key.strip_prefix("gen_ai.prompt."));
    if let Some(rest) = input {
        return Some((true, rest));
    }
    if let Some(rest) = key.strip_prefix("embedding.embeddings.") {
        return rest.ends_with(".embedding.text").then_some((true, rest));
    }
    let output = key.strip_prefix("llm.output_messages.").or_else(|| key.strip_prefix("gen_ai.completion."));
    output.map(|rest| (false, rest))
}

fn index(rest: &str) -> Option<(u32, &str)> {
    let (number, rest) = rest.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

fn spread<'a>(message: &mut Message<'a>, member: &str, text: Option<Cow<'a, str>>) {
    match member {
        "role" => message.role = text.unwrap_or_default(),
        "content" | "embedding.text" => message.content = text,
        "name" => message.name = text,
        "tool_call_id" => message.tool_call_id = text,
        _ => {
            if let Some((at, rest)) = member.strip_prefix("tool_calls.").and_then(index) {
                let at = at as usize;
                // What an exporter numbers without end is not followed without end.
                if at >= 256 {
                    return;
                }
                if message.tool_calls.len() <= at {
                    message.tool_calls.resize_with(at + 1, ToolCall::default);
                }
                let call = &mut message.tool_calls[at];
                let rest = rest.strip_prefix("tool_call.").unwrap_or(rest);
                match rest.strip_prefix("function.").unwrap_or(rest) {
                    "id" => call.id = text,
                    "name" => call.name = text,
                    "arguments" => call.arguments = text.map(|text| parsed(Value::String(text.into_owned()))),
                    _ => {}
                }
            } else if member.starts_with("contents.") && member.ends_with(".message_content.text") {
                add(&mut message.content, text);
            }
        }
    }
}

/// The oldest form: an event for each message.
fn by_events(events: &[Event], said: &mut Said) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for event in events {
        let (role, list) = match event.name.as_str() {
            "gen_ai.system.message" => ("system", &mut input),
            "gen_ai.user.message" => ("user", &mut input),
            "gen_ai.assistant.message" => ("assistant", &mut input),
            "gen_ai.tool.message" => ("tool", &mut input),
            "gen_ai.choice" => ("assistant", &mut output),
            _ => continue,
        };
        let attribute = |key: &str| {
            event.attributes.iter().find(|one| one.key == key)?.value.as_ref().and_then(value::text)
        };
        let content = attribute("content").or_else(|| attribute("message")).map(Cow::Borrowed);
        list.push(Message { role: role.into(), content, ..Message::default() });
        if event.name == "gen_ai.choice" {
            said.finish_reason = attribute("finish_reason").map(str::to_owned);
        }
    }
    said.prompt = text(input, "user");
    said.response = text(output, "assistant");
}
