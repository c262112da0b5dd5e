//! Messages that are told whole, as JSON: OpenTelemetry's, OpenAI's (Chat and Responses), Anthropic's and Gemini's.

use std::borrow::Cow;

use super::{
    super::{reader::Reader, value::whole_of, wire::Attribute},
    message::{Arguments, Message, Own, ToolCall},
    object::{Object, is_full, items, text_of},
    parts::{Parts, tool_call},
    within::marked,
};

/// A list of messages, and why the last of them ended. What is no such list is said by that role.
pub(super) fn list<'a>(raw: &'a str, alone: &'a str) -> (Vec<Message<'a>>, Option<Cow<'a, str>>) {
    messages(raw).unwrap_or_else(|| (vec![said(alone, raw)], None))
}

/// What messages say that a tool was called with, in its own call. What are none, or is an object that may be any, are
/// the arguments themselves.
pub(super) fn arguments(raw: &str, own: Own<'_>) -> Option<String> {
    let Some((messages, _)) = messages(raw) else { return Some(raw.to_owned()) };
    let mut calls: Vec<ToolCall<'_>> = messages.into_iter().flat_map(|message| message.tool_calls).collect();
    if calls.is_empty() && Object::of(raw).is_some_and(|one| one.json(&["role", "parts"]).is_none()) {
        return Some(raw.to_owned());
    }
    let at = own.among(calls.iter().map(|call| (call.id.as_deref(), call.name.as_deref())))?;
    calls.swap_remove(at).arguments.map(|Arguments(arguments)| arguments.into_owned())
}

/// What messages say that was answered: to its own call, or the first of which nothing says that it is another's. What
/// are no messages is the answer itself.
pub(super) fn answer(raw: &str, own: Own<'_>) -> Option<String> {
    let Some((mut messages, _)) = messages(raw) else { return plain(raw) };
    messages.retain(|message| message.content.is_some());
    let may_be = |message: &Message<'_>| own.may_be(message.tool_call_id.as_deref(), message.name.as_deref());
    let named = messages.iter().map(|message| (message.tool_call_id.as_deref(), message.name.as_deref()));
    let at = own.among(named).or_else(|| messages.iter().position(may_be))?;
    messages.swap_remove(at).content.map(Cow::into_owned)
}

/// The text of content that may be parts.
pub(super) fn plain(raw: &str) -> Option<String> {
    let mut parts = Parts::default();
    content_of_text(raw, &mut parts);
    parts.message.content.map(Cow::into_owned)
}

/// System instructions, which are parts.
pub(super) fn instructions(system: &str) -> Vec<Message<'_>> {
    let mut list = Vec::new();
    let mut instructions = Parts::default();
    match is_json(system).then(|| items(system)).flatten() {
        Some(parts) => {
            for part in parts {
                instructions.part(part);
            }
        }
        None => instructions.message.content = Some(Cow::Borrowed(system)),
    }
    instructions.message.role = Cow::Borrowed("system");
    instructions.into(&mut list);
    list
}

fn said<'a>(role: &'a str, content: &'a str) -> Message<'a> {
    Message { role: Cow::Borrowed(role), content: Some(Cow::Borrowed(content)), ..Message::default() }
}

pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{']) && Reader::new(text).is_ok()
}

/// The messages of a JSON text that is a list of them, or one.
fn messages(raw: &str) -> Option<(Vec<Message<'_>>, Option<Cow<'_, str>>)> {
    if !is_json(raw) {
        return None;
    }
    let given = items(raw.trim_start()).unwrap_or_else(|| vec![raw.trim()]);
    let mut list = Vec::with_capacity(given.len());
    let mut finish = None;
    for one in given {
        let object = Object::of(one).filter(is_message)?;
        finish = object.text(&["finish_reason", "stop_reason"]);
        message(one, &object, &mut list);
    }
    Some((list, finish))
}

/// A message has a role, parts, or, as an item of OpenAI's Responses, a type.
fn is_message(object: &Object<'_>) -> bool {
    object.text(&["role"]).is_some()
        || object.json(&["parts"]).is_some_and(|parts| parts.starts_with('['))
        || object.text(&["type"]).is_some()
}

pub(super) fn message<'a>(json: &'a str, object: &Object<'a>, list: &mut Vec<Message<'a>>) {
    let mut parts = Parts::default();
    let role = object.text(&["role"]);
    let kind = object.text(&["type"]).unwrap_or_default();
    let (content, of_parts) = (object.json(&["content"]), object.json(&["parts"]));
    let is_item = role.is_none() && kind != "message" && (content.is_none() || kind == "reasoning");
    if is_item && of_parts.is_none() {
        parts.part(json);
        parts.message.role = Cow::Borrowed("assistant");
        return parts.into(list);
    }
    // Where there is no role, what it is says who speaks: `{"type": "human", "content": ".."}`.
    parts.message.role = role.unwrap_or(if kind == "message" { Cow::Borrowed("") } else { kind });
    parts.message.name = object.text(&["name"]);
    parts.message.tool_call_id = object.text(&["tool_call_id", "toolCallId"]);
    parts.message.is_error = object.json(&["is_error", "isError"]) == Some("true");
    // LangChain keeps there what it has no member for.
    let more = object.object(&["additional_kwargs"]);
    let of = |name: &str| {
        object.json(&[name]).or_else(|| more.as_ref()?.json(&[name])).filter(|json| is_full(json))
    };
    // What was thought was so before the answer.
    if let Some(thought) = THOUGHT.iter().find_map(|name| of(name)) {
        parts.content(thought);
    }
    if let Some(content) = content {
        parts.content(content);
    }
    if let Some(audio) = of("audio").and_then(Object::of) {
        parts.spoken(&audio);
    }
    for image in of("images").and_then(items).unwrap_or_default() {
        parts.picture(image);
    }
    for part in of_parts.and_then(items).unwrap_or_default() {
        parts.part(part);
    }
    parts.message.tool_calls.extend(calls(object));
    if let Some(call) = object.object(&["function_call"]) {
        parts.message.tool_calls.push(tool_call(&call));
    }
    if let Some(refusal) = of("refusal") {
        parts.content(refusal);
    }
    parts.message.add(others(object));
    parts.into(list);
}

/// What was thought, by the names of those who put it beside the content: as a text, or as parts.
const THOUGHT: [&str; 5] =
    ["reasoning_content", "reasoning", "thinking", "thinking_blocks", "reasoning_details"];

/// Members of a message that are read, or that say nothing of what was said.
#[rustfmt::skip]
const READ: &[&str] = &[
    "role", "type", "content", "parts", "name", "tool_call_id", "toolCallId", "is_error", "isError",
    "additional_kwargs", "images", "audio", "tool_calls", "toolCalls", "function_call", "refusal",
    "reasoning_content", "reasoning", "thinking", "thinking_blocks", "reasoning_details",
    "finish_reason", "finishReason", "stop_reason", "stop_sequence", "id", "index", "status", "object", "model",
    "created", "created_at", "timestamp", "usage", "usage_metadata", "response_metadata", "response_id",
    "logprobs", "cache_control", "example", "invalid_tool_calls", "metadata", "container", "phase", "kind",
    "token_count", "tool_call_chunks", "event.name", "gen_ai.message.index", "gen_ai.system",
];

/// What else a message has, as the JSON that it came as.
fn others<'a>(object: &Object<'a>) -> Option<Cow<'a, str>> {
    let others = object.members().filter(|(name, json)| !READ.contains(name) && is_full(json));
    let told = others.map(|(name, json)| format!("{}:{json}", serde_json::Value::from(name)));
    let told: Vec<String> = told.collect();
    let told = (!told.is_empty()).then(|| format!("{{{}}}", told.join(",")))?;
    Some(Cow::Owned(marked(&told).into_owned()))
}

fn calls<'a>(object: &Object<'a>) -> Vec<ToolCall<'a>> {
    let calls = object.json(&["tool_calls", "toolCalls"]).and_then(items).unwrap_or_default();
    calls.into_iter().filter_map(|call| Some(tool_call(&Object::of(call)?))).collect()
}

/// The message of an event; gives why it ended.
pub(super) fn of_event<'a>(
    role: &'static str,
    attributes: &'a [Attribute<'_>],
    list: &mut Vec<Message<'a>>,
) -> Option<String> {
    let attribute = |key: &str| whole_of(attributes, &[key]);
    let before = list.len();
    let mut finish = attribute("finish_reason");
    // All of it as JSON in one attribute, which is lent only where it is a text.
    if let Some(Cow::Borrowed(whole)) = attribute("gen_ai.event.content")
        && is_json(whole)
        && let Some(object) = Object::of(whole.trim())
    {
        finish = finish.or_else(|| object.text(&["finish_reason"]));
        let inner = object.json(&["message"]).unwrap_or(whole.trim());
        match Object::of(inner) {
            Some(object) => message(inner, &object, list),
            None => list.push(Message { content: Some(text_of(inner)), ..Message::default() }),
        }
    } else {
        let mut parts = Parts::default();
        match attribute("content").or_else(|| attribute("message")) {
            Some(Cow::Borrowed(content)) => content_of_text(content, &mut parts),
            other => parts.message.content = other,
        }
        if let Some(Cow::Borrowed(calls)) = attribute("tool_calls")
            && is_json(calls)
        {
            let calls = items(calls.trim()).unwrap_or_default();
            parts
                .message
                .tool_calls
                .extend(calls.into_iter().filter_map(|one| Some(tool_call(&Object::of(one)?))));
        }
        parts.message.tool_call_id = attribute("id").filter(|_| role == "tool");
        parts.into(list);
    }
    for message in &mut list[before..] {
        if message.role.is_empty() {
            message.role = Cow::Borrowed(role);
        }
    }
    finish.map(Cow::into_owned)
}

/// Content that comes as a text: parts, where it is the JSON of a list of those.
pub(super) fn content_of_text<'a>(content: &'a str, parts: &mut Parts<'a>) {
    let trimmed = content.trim();
    let given = (trimmed.starts_with('[') && is_json(trimmed)).then(|| items(trimmed)).flatten();
    match given {
        Some(given) if !given.is_empty() && given.iter().all(|one| is_part(one)) => {
            for part in given {
                parts.part(part);
            }
        }
        _ => parts.message.add(Some(Cow::Borrowed(content)).filter(|content| !content.is_empty())),
    }
}

/// Whether a JSON value is a part, and not just somebody's list.
fn is_part(json: &str) -> bool {
    const NAMES: [&str; 8] = [
        "text",
        "toolUse",
        "toolResult",
        "functionCall",
        "function_call",
        "functionResponse",
        "inlineData",
        "image",
    ];
    Object::of(json).is_some_and(|part| {
        let known = |name: &&str| part.json(&[name]).is_some();
        part.text(&["type"]).is_some() || NAMES.iter().any(known) && part.len() == 1
    })
}
