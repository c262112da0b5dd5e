//! Messages that are spread over attributes: `llm.input_messages.0.message.content`, `gen_ai.prompt.0.content`.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    super::{served, value, wire::Attribute},
    given::content_of_text,
    media::{Data, mark},
    message::{Arguments, Message, ToolCall},
    parts::Parts,
};

/// A message, as far as its attributes came.
#[derive(Default)]
struct Flat<'a> {
    message: Message<'a>,
    content: Option<Cow<'a, str>>,
    /// What was thought, and a refusal: beside the content.
    thought: Option<Cow<'a, str>>,
    refusal: Option<Cow<'a, str>>,
    contents: BTreeMap<u32, FlatPart<'a>>,
    tool_calls: BTreeMap<u32, ToolCall<'a>>,
}

/// A part of a message, as far as its attributes came: what they are called there, and their texts.
#[derive(Default)]
struct FlatPart<'a>(Vec<(&'a str, Cow<'a, str>)>);

/// So many parts are looked for in all of a text, where they are not what comes next in it.
const LOOKS: u8 = 16;

/// What a message says whole, beside its parts. Each is looked for behind the last that was found, and all the texts of
/// a message together cost about as much as it is long.
struct Whole<'a> {
    text: Cow<'a, str>,
    at: usize,
    looks: u8,
}

impl Whole<'_> {
    /// Whether a part is in it, as far as may still be looked.
    fn says(&mut self, part: &str) -> bool {
        if self.looks == 0 {
            return false;
        }
        if let Some(found) = self.text[self.at..].find(part) {
            self.at += found + part.len();
            return true;
        }
        self.looks -= 1;
        self.text.contains(part)
    }
}

type List<'a> = BTreeMap<u32, Flat<'a>>;

/// The messages that went in, and those that came out.
pub(super) fn of<'a>(attributes: &'a [Attribute<'_>]) -> (Vec<Message<'a>>, Vec<Message<'a>>) {
    let (mut input, mut output) = (List::new(), List::new());
    for Attribute { key, value } in attributes {
        let Some((is_input, rest)) = side(key) else { continue };
        let (Some((at, rest)), Some(value)) = (index(rest), value) else { continue };
        let Some(text) = value::told(value) else { continue };
        let list = if is_input { &mut input } else { &mut output };
        spread(list.entry(at).or_default(), rest, text);
    }
    (gathered(input), gathered(output))
}

fn side(key: &str) -> Option<(bool, &str)> {
    const INPUT: [&str; 3] = ["llm.input_messages.", "gen_ai.prompt.", "llm.prompts."];
    const OUTPUT: [&str; 3] = ["llm.output_messages.", "gen_ai.completion.", "llm.choices."];
    if !key.starts_with(['l', 'g', 'e']) {
        return None;
    }
    let of = |prefixes: [&str; 3]| prefixes.iter().find_map(|prefix| key.strip_prefix(prefix));
    if let Some(rest) = key.strip_prefix("embedding.embeddings.") {
        return rest.ends_with(".embedding.text").then_some((true, rest));
    }
    of(INPUT).map(|rest| (true, rest)).or_else(|| of(OUTPUT).map(|rest| (false, rest)))
}

fn index(rest: &str) -> Option<(u32, &str)> {
    let (number, rest) = rest.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

fn spread<'a>(flat: &mut Flat<'a>, member: &'a str, text: Cow<'a, str>) {
    let message = &mut flat.message;
    let member = member.strip_prefix("message.").unwrap_or(member);
    match member {
        "role" => message.role = text,
        "content" | "embedding.text" | "prompt.text" | "completion.text" => flat.content = Some(text),
        "name" => message.name = Some(text),
        "reasoning_content" | "reasoning" | "thinking" => flat.thought = Some(text),
        "refusal" => flat.refusal = Some(text),
        "tool_call_id" => message.tool_call_id = Some(text),
        // The one call of before there were several.
        "function_call_name" | "function_call.name" => {
            flat.tool_calls.entry(0).or_default().name = Some(text);
        }
        "function_call_arguments_json" | "function_call.arguments" => {
            flat.tool_calls.entry(0).or_default().arguments = Some(Arguments(text));
        }
        _ => {
            if let Some((at, rest)) = member.strip_prefix("tool_calls.").and_then(index) {
                let call = flat.tool_calls.entry(at).or_default();
                let rest = rest.strip_prefix("tool_call.").unwrap_or(rest);
                match rest.strip_prefix("function.").unwrap_or(rest) {
                    "id" => call.id = Some(text),
                    "name" => call.name = Some(text),
                    "arguments" => call.arguments = Some(Arguments(text)),
                    _ => {}
                }
            } else if let Some((at, rest)) = member.strip_prefix("contents.").and_then(index) {
                let rest = rest.strip_prefix("message_content.").unwrap_or(rest);
                flat.contents.entry(at).or_default().0.push((rest, text));
            }
        }
    }
}

fn gathered(list: List<'_>) -> Vec<Message<'_>> {
    let mut messages = Vec::with_capacity(list.len());
    for (_, flat) in list {
        let mut parts = Parts { message: flat.message, ..Parts::default() };
        parts.message.add(flat.thought);
        match flat.content {
            Some(Cow::Borrowed(content)) => content_of_text(content, &mut parts),
            other => parts.message.add(other),
        }
        // What is there twice, as a text and as its parts, is said once.
        let content = parts.message.content.clone();
        let mut whole = content.map(|text| Whole { text, at: 0, looks: LOOKS });
        for (_, part) in flat.contents {
            part.into(&mut parts, whole.as_mut());
        }
        parts.message.add(flat.refusal);
        parts.message.tool_calls.extend(flat.tool_calls.into_values());
        parts.into(&mut messages);
    }
    messages
}

impl<'a> FlatPart<'a> {
    fn text(&self, of: impl Fn(&str) -> bool) -> Option<&Cow<'a, str>> {
        self.0.iter().find(|(member, _)| of(member)).map(|(_, text)| text)
    }

    fn into(self, parts: &mut Parts<'a>, whole: Option<&mut Whole<'_>>) {
        let kind = self.text(|member| member == "type").cloned().unwrap_or_default();
        let name = self.text(|member| member.ends_with("name"));
        parts.message.served |= served::is_call(&kind, name.map(AsRef::as_ref), false);
        if let Some(text) =
            self.text(|member| member == "text" || member == "reasoning" || member == "thinking")
        {
            if whole.is_none_or(|whole| !whole.says(text)) {
                parts.message.add(Some(text.clone()));
            }
            return;
        }
        let url = self.text(|member| member.ends_with("url") || member.ends_with("uri"));
        let data = self.text(|member| member.ends_with("data") || member.ends_with("base64"));
        let media_type = self
            .text(|member| ["mime_type", "media_type", "mimetype"].iter().any(|name| member.ends_with(name)));
        let data = url.map(|url| Data::Url(url)).or(data.map(|data| Data::Base64(data)));
        if data.is_some() {
            let kind = if kind.is_empty() { "image" } else { &kind };
            parts.message.add(Some(mark(kind, media_type.map(AsRef::as_ref), data)));
        }
        let said = self.text(|member| member.ends_with("transcript")).cloned();
        if data.is_some() || said.is_some() {
            return parts.message.add(said);
        }
        let member = |names: &[&str]| {
            names.iter().find_map(|name| self.text(|member| member.ends_with(name)).cloned())
        };
        match kind.as_ref() {
            "tool_use" | "tool_call" | "function_call" => parts.message.tool_calls.push(ToolCall {
                id: member(&["id"]),
                name: member(&["name"]),
                arguments: member(&["input", "arguments"]).map(Arguments),
            }),
            "" if self.0.is_empty() => {}
            // What nobody here knows stays as it came.
            _ => {
                let members: serde_json::Map<String, serde_json::Value> = self
                    .0
                    .into_iter()
                    .map(|(member, text)| (member.to_owned(), text.into_owned().into()))
                    .collect();
                parts.message.add(Some(Cow::Owned(serde_json::Value::Object(members).to_string())));
            }
        }
    }
}
