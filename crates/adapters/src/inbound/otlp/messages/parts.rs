//! The parts of a message, by whoever's names: OpenTelemetry's, OpenAI's (Chat and Responses), Anthropic's, Gemini's
//! and Bedrock's. What is none of those stays as it came.

use std::borrow::Cow;

use super::{
    super::served,
    media::{Data, mark},
    message::{Arguments, Message, ToolCall},
    object::{Object, is_full, items, text_of},
    within::marked,
};

/// So deep parts may lie within parts. Nobody's do by themselves, and each level is a frame of the stack.
const DEEPEST: u8 = 16;

/// A message with its parts: results of tools are messages of their own.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) message: Message<'a>,
    pub(super) results: Vec<Message<'a>>,
    /// How many parts this is within.
    pub(super) depth: u8,
}

impl<'a> Parts<'a> {
    /// Puts the messages into a list: what the tools answered stands before what is said about it.
    pub(super) fn into(mut self, list: &mut Vec<Message<'a>>) {
        // One answer in a message that says which it answers is that message.
        if let [only] = self.results.as_mut_slice()
            && self.message.content.is_none()
            && self.message.tool_calls.is_empty()
        {
            let id = self.message.tool_call_id.take();
            only.tool_call_id = only.tool_call_id.take().or(id);
            only.name = only.name.take().or(self.message.name.take());
            only.is_error |= self.message.is_error;
        }
        list.append(&mut self.results);
        if self.message.says_something() {
            list.push(self.message);
        }
    }

    /// Content: a text, parts, or JSON that stays JSON.
    pub(super) fn content(&mut self, json: &'a str) {
        match json.as_bytes().first() {
            Some(b'"') => self.message.add(Some(text_of(json))),
            Some(b'[' | b'{') if self.depth == DEEPEST => {
                self.message.deep = true;
                self.message.add(Some(marked(json)));
            }
            Some(b'[') => {
                self.depth += 1;
                for item in items(json).unwrap_or_default() {
                    self.part(item);
                }
                self.depth -= 1;
            }
            Some(b'{') => {
                self.depth += 1;
                self.part(json);
                self.depth -= 1;
            }
            Some(b'n') | None => {}
            Some(_) => self.message.add(Some(Cow::Borrowed(json))),
        }
    }

    /// One part. A text is one too.
    pub(super) fn part(&mut self, json: &'a str) {
        let Some(part) = Object::of(json) else {
            return self.message.add(Some(text_of(json)).filter(|text| text != "null" && !text.is_empty()));
        };
        let kind = part.text(&["type"]).unwrap_or_default();
        let is_builtin = part.json(&["builtin"]) == Some("true");
        self.message.served |= served::is_call(&kind, part.text(&["name"]).as_deref(), is_builtin);
        match kind.as_ref() {
            "text" | "input_text" | "output_text" | "summary_text" | "reasoning_text" | "reasoning.text"
            | "reasoning.summary" | "thinking" | "refusal" => {
                let text = part.text(&["text", "content", "thinking", "refusal", "summary"]);
                let nested = || part.json(&["content"]).filter(|json| json.starts_with('['));
                match (text, nested()) {
                    (None, Some(parts)) => self.content(parts),
                    (text, _) => self.message.add(text),
                }
            }
            "reasoning" => self.reasoning(&part),
            "redacted_thinking" | "reasoning.encrypted" => self.closed(part.text(&["data"]).as_deref()),
            "tool_call" | "function_call" | "tool_use" | "server_tool_use" | "custom_tool_call"
            | "mcp_call" | "tool-call" => {
                self.message.tool_calls.push(tool_call(&part));
                if kind == "mcp_call" {
                    self.answered(&part);
                }
            }
            "tool_call_response"
            | "tool_result"
            | "function_call_output"
            | "custom_tool_call_output"
            | "computer_call_output"
            | "tool-result"
            | "web_search_tool_result" => {
                let output = part.json(&["response", "result", "output", "content"]);
                self.result(&part, output.unwrap_or("\"\""));
            }
            "image"
            | "image_url"
            | "input_image"
            | "blob"
            | "uri"
            | "file"
            | "input_file"
            | "document"
            | "audio"
            | "input_audio"
            | "audio_url"
            | "video"
            | "video_url"
            | "media"
            | "computer_screenshot" => {
                self.file(&kind, &part);
            }
            "image_generation_call" => {
                let data = part.text(&["result"]);
                self.message.add(Some(mark("image", None, data.as_deref().map(Data::Base64))));
            }
            _ => self.unnamed(json, &part),
        }
    }

    /// A part that does not say what it is, or something that nobody here knows.
    fn unnamed(&mut self, json: &'a str, part: &Object<'a>) {
        if let Some(call) = part.object(&["functionCall", "function_call", "toolUse"]) {
            let kind = call.text(&["type"]).unwrap_or_default();
            self.message.served |= served::is_call(&kind, call.text(&["name"]).as_deref(), false);
            self.message.tool_calls.push(tool_call(&call));
        } else if let Some(result) = part.object(&["functionResponse", "function_response", "toolResult"]) {
            let output = result.json(&["response", "content", "result", "output"]);
            self.result(&result, output.unwrap_or("\"\""));
        } else if let Some((kind, of)) =
            ["inlineData", "inline_data", "fileData", "file_data", "image", "document", "audio", "video"]
                .iter()
                .find_map(|kind| Some((*kind, part.object(&[kind])?)))
        {
            self.file(if kind.contains("ata") { "file" } else { kind }, &of);
        } else if let Some(text) = part.text(&["text"]).filter(|_| part.json(&["type"]).is_none()) {
            self.message.add(Some(text));
        } else {
            self.message.add(Some(marked(json)).filter(|json| json != "{}"));
        }
    }

    /// What a model said in sound: the sound's mark, and its words.
    pub(super) fn spoken(&mut self, audio: &Object<'a>) {
        self.file("audio", audio);
        self.message.add(audio.text(&["transcript"]));
    }

    /// What a server's tool answered, or why it did not.
    fn answered(&mut self, part: &Object<'a>) {
        if let Some(output) = part.json(&["output"]) {
            self.result(part, output);
        }
        if let Some(error) = part.json(&["error"]) {
            self.result(part, error);
            if let Some(last) = self.results.last_mut() {
                last.is_error = true;
            }
        }
    }

    /// A file's mark; of a document that is told as a text or as parts, those. What it is called the model reads too.
    fn file(&mut self, kind: &str, of: &Object<'a>) {
        let within = of.object(&["file"]);
        for about in [Some(of), within.as_ref()].into_iter().flatten() {
            for name in ["title", "context", "filename", "name"] {
                self.message.add(about.text(&[name]));
            }
        }
        match of.object(&["source"]).and_then(|source| said(&source)) {
            Some(said) => self.content(said),
            None => self.message.add(Some(file(kind, of))),
        }
    }

    /// What a model thought: told in words, or closed.
    fn reasoning(&mut self, part: &Object<'a>) {
        if let Some(text) = part.text(&["content", "text", "thinking"]) {
            return self.message.add(Some(text));
        }
        let said = [part.json(&["summary"]), part.json(&["content"])].into_iter().flatten();
        let mut said = said.filter(|json| is_full(json)).peekable();
        if said.peek().is_none() {
            return self.closed(part.text(&["encrypted_content"]).as_deref());
        }
        for of in said {
            self.content(of);
        }
    }

    /// A thought that only its provider can read.
    fn closed(&mut self, data: Option<&str>) {
        self.message.add(data.map(|data| mark("reasoning", None, Some(Data::Base64(data)))));
    }

    /// One of a list of pictures: a part, or its bytes, or where it is.
    pub(super) fn picture(&mut self, json: &'a str) {
        if !json.starts_with('"') {
            return self.part(json);
        }
        let text = text_of(json);
        let is_url = text.starts_with("data:") || text.contains("://");
        let data = if is_url { Data::Url(&text) } else { Data::Base64(&text) };
        self.message.add(Some(mark("image", None, Some(data))));
    }

    /// What a tool answered.
    fn result(&mut self, part: &Object<'a>, output: &'a str) {
        let mut inner = Parts { depth: self.depth, ..Parts::default() };
        // An answer that is an object is the tool's own, and no part; but for a picture of the screen.
        if output.starts_with('{') && !is_screenshot(output) {
            inner.message.content = Some(marked(output));
        } else {
            inner.content(output);
        }
        // Gemini has the files of an answer beside it.
        if let Some(parts) = part.json(&["parts"]) {
            inner.content(parts);
        }
        inner.message.role = Cow::Borrowed("tool");
        inner.message.name = part.text(&["name", "toolName"]);
        inner.message.tool_call_id =
            part.text(&["call_id", "tool_use_id", "tool_call_id", "toolUseId", "toolCallId", "id"]);
        let says_so = part.json(&["is_error", "isError"]) == Some("true");
        inner.message.is_error = says_so || part.text(&["status"]).is_some_and(|status| status == "error");
        // What another tool answered within it stands before it.
        self.results.append(&mut inner.results);
        self.results.push(inner.message);
    }
}

fn is_screenshot(json: &str) -> bool {
    Object::of(json)
        .and_then(|object| object.text(&["type"]))
        .is_some_and(|kind| kind == "computer_screenshot")
}

/// `{id, type, function: {name, arguments}}`, `{id, name, arguments}`, `{id, name, input}`, `{name, args}`.
pub(super) fn tool_call<'a>(call: &Object<'a>) -> ToolCall<'a> {
    let function = call.object(&["function", "custom"]);
    let of = function.as_ref().unwrap_or(call);
    let id = call.text(&["call_id", "tool_call_id", "toolCallId", "toolUseId", "id"]);
    ToolCall {
        id: id.or_else(|| of.text(&["id"])),
        name: of.text(&["name", "toolName", "tool_name"]),
        arguments: of.whole(&["arguments", "input", "args", "parameters"]).map(Arguments),
    }
}

/// The text or the parts that a document's source is, and no file: Anthropic's, and Bedrock's without a type.
fn said<'a>(source: &Object<'a>) -> Option<&'a str> {
    match source.text(&["type"]).as_deref() {
        Some("text") => source.json(&["data", "text"]),
        Some("content") | None => source.json(&["content", "text"]),
        Some(_) => None,
    }
}

/// A file by any of its names: `{source: {media_type, data}}`, `{image_url: {url}}`, `{mime_type, content}`, ...
fn file<'a>(kind: &str, part: &Object<'a>) -> Cow<'a, str> {
    let within = part.object(&[
        "source",
        "image_url",
        "audio_url",
        "video_url",
        "input_audio",
        "file",
        "image",
        "audio",
        "video",
    ]);
    let of = within.as_ref().unwrap_or(part);
    let media_type = of
        .text(&["media_type", "mime_type", "mimeType", "mediaType", "format"])
        .or_else(|| part.text(&["media_type", "mime_type", "mimeType", "mediaType", "format"]));
    let url = of
        .text(&["url", "uri", "fileUri", "file_uri"])
        .or_else(|| of.object(&["s3Location", "s3_location"])?.text(&["uri"]))
        .or_else(|| part.text(&["image_url", "audio_url", "video_url", "url", "file_url", "image", "uri"]));
    let bytes = of
        .text(&["data", "file_data", "bytes", "content", "base64"])
        .or_else(|| of.object(&["source"])?.text(&["bytes", "data"]));
    let id = of.text(&["file_id", "id"]);
    let kind = match kind {
        "blob" | "uri" | "media" => part.text(&["modality"]).unwrap_or(Cow::Borrowed("file")),
        "input_image" | "image_url" | "computer_screenshot" => Cow::Borrowed("image"),
        "input_audio" | "audio_url" => Cow::Borrowed("audio"),
        "video_url" => Cow::Borrowed("video"),
        "input_file" | "document" => Cow::Borrowed("file"),
        kind => Cow::Owned(kind.to_owned()),
    };
    let data = match (&url, &bytes, &id) {
        (Some(url), ..) => Some(Data::Url(url)),
        (None, Some(bytes), _) if bytes.starts_with("data:") => Some(Data::Url(bytes)),
        (None, Some(bytes), _) => Some(Data::Base64(bytes)),
        (None, None, Some(id)) => Some(Data::Id(id)),
        (None, None, None) => None,
    };
    mark(&kind, media_type.as_deref(), data)
}
